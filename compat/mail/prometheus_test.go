package mail

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"scache/compat/postfix"
	"scache/compat/testbed"
	"scache/scached/control"
	"scache/scached/exporter"
)

// freeAddress is one that nobody listens to.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// within tries until it works, for half a minute at most.
func within(ctx context.Context, try func() error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		if err = try(); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// A prometheus is a real one, which scrapes one exporter.
type prometheus struct{ address string }

// startPrometheus starts one; it ends with the test.
func startPrometheus(t *testing.T, target string) prometheus {
	t.Helper()
	program, err := exec.LookPath("prometheus")
	if err != nil {
		testbed.SkipLocally(t, "prometheus is not installed")
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	text := "global: {scrape_interval: 200ms, scrape_timeout: 200ms}\n" +
		"scrape_configs: [{job_name: scached, static_configs: [{targets: ['" + target + "']}]}]\n"
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	p := prometheus{address: freeAddress(t)}
	cmd := exec.Command(program, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+p.address, "--log.level=error")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("prometheus said:\n%s", &output)
		}
	})
	if err := within(t.Context(), func() error { _, err := p.query("up"); return err }); err != nil {
		t.Fatal(err)
	}
	return p
}

// query returns the value of an expression that has one.
func (p prometheus) query(expression string) (value float64, err error) {
	client := http.Client{Timeout: 5 * time.Second}
	response, err := client.Get("http://" + p.address + "/api/v1/query?query=" + url.QueryEscape(expression))
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	var answer struct {
		Data struct {
			Result []struct{ Value [2]any }
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return 0, err
	}
	if len(answer.Data.Result) != 1 {
		return 0, fmt.Errorf("%s has %d results", expression, len(answer.Data.Result))
	}
	text, _ := answer.Data.Result[0].Value[1].(string)
	return strconv.ParseFloat(text, 64)
}

// balance is 0 when every session that was saved has ended in one way, or is there.
const balance = `sum(scached_saves_total{kind="session"}) - sum(scached_handovers_total{result="done"})` +
	` - sum(scached_sessions_closed_total) - sum(scached_sessions)`

// What a real Prometheus knows of a cache through which real mail goes is what the
// server of that mail and smtp(8)'s log have counted.
func TestPrometheus(t *testing.T) {
	var known map[string]float64
	delivery := Delivery{
		Postfix: postfix.Options{Cache: testbed.Ours(t), Main: byDestination},
		Mail:    Injection{Messages: 100, Senders: 4},
	}
	delivery.After = func(ctx context.Context, p *postfix.Instance, sink *Sink) error {
		cache := &control.Client{Path: p.CacheSocket()}
		o := exporter.Options{Addresses: []string{freeAddress(t)}, Path: "/metrics", Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
		ctx, stop := context.WithCancel(ctx)
		served := make(chan error, 1)
		go func() { served <- exporter.Serve(ctx, cache, o) }()
		defer func() {
			stop()
			if err := <-served; err != nil {
				t.Error(err)
			}
		}()
		var metrics []byte
		err := within(ctx, func() (err error) {
			response, err := http.Get("http://" + o.Addresses[0] + o.Path)
			if err == nil {
				defer response.Body.Close()
				metrics, err = io.ReadAll(response.Body)
			}
			return err
		})
		if err != nil {
			return err
		}
		checkMetrics(t, metrics)
		if err := checkComplete(ctx, cache, string(metrics)); err != nil {
			t.Error(err)
		}
		prometheus := startPrometheus(t, o.Addresses[0])
		known = map[string]float64{}
		// When nothing is left in the cache, every session has ended in some way.
		err = within(ctx, func() error {
			if left, err := prometheus.query("scached_sessions"); err != nil || left != 0 {
				return fmt.Errorf("%v sessions left: %w", left, err)
			}
			for expression := range expected(&Result{}, lookups{}) {
				value, err := prometheus.query(expression)
				if err != nil {
					return err
				}
				known[expression] = value
			}
			return nil
		})
		if err != nil {
			return err
		}
		return Statistics(ctx, p, sink)
	}
	r, err := delivery.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Delivered != 100 || r.Reused != r.Delivered-r.Connections {
		t.Fatalf("delivered %d, %d over %d connections", r.Delivered, r.Reused, r.Connections)
	}
	if r.Reused == 0 {
		t.Error("nothing was reused")
	}
	for expression, want := range expected(r, loggedLookups(t, r)) {
		if got := known[expression]; got != want {
			t.Errorf("%s is %v, want %v", expression, got, want)
		}
	}
}

// expected is what a cache has counted that nothing is left in, by what smtp(8) and
// the sink have counted, and by the statistics in the log.
func expected(r *Result, logged lookups) map[string]float64 {
	reused, sent := float64(r.Reused), float64(r.Sent)
	return map[string]float64{
		`scached_up`: 1,
		balance:      0,
		`sum(scached_handovers_total{result="done"})`:                  reused,
		`sum(scached_handovers_total{result="failed"})`:                0,
		`sum(scached_lookups_total{result="hit"})`:                     reused,
		`sum(scached_transport_lookups_total{result="hit"})`:           reused,
		`sum(scached_lookups_total{kind="destination",result="hit"})`:  logged.destinationHits,
		`sum(scached_lookups_total{kind="destination",result="miss"})`: logged.destinationMisses,
		`sum(scached_lookup_misses_total{kind="destination"})`:         logged.destinationMisses,
		`sum(scached_lookups_total{kind="endpoint",result="hit"})`:     logged.endpointHits,
		`sum(scached_lookups_total{kind="endpoint",result="miss"})`:    logged.endpointMisses,
		`sum(scached_lookups_total{kind="destination"})`:               sent, // each delivery begins with one
		`sum(scached_saves_total{kind="session"})`:                     sent, // and ends with one
		`sum(scached_saves_total{kind=~"binding|refresh"})`:            sent,
		`sum(scached_requests_total{request="save_endp",status="0"})`:  sent,
		`sum(scached_session_age_seconds_count{end="hit"})`:            reused,
		`sum(scached_session_age_seconds_count{end="expired"})`:        float64(r.Connections),
		`sum(scached_sessions_closed_total{reason="expired"})`:         float64(r.Connections), // each connection ends so
		`sum(scached_sessions_closed_total{reason!="expired"})`:        0,
	}
}

// lookups are those of the statistics in the log.
type lookups struct{ destinationHits, destinationMisses, endpointHits, endpointMisses float64 }

func loggedLookups(t *testing.T, r *Result) (l lookups) {
	t.Helper()
	found := 0
	for _, line := range r.Lines {
		for format, into := range map[string][2]*float64{
			"statistics: domain lookup hits=%v miss=%v":  {&l.destinationHits, &l.destinationMisses},
			"statistics: address lookup hits=%v miss=%v": {&l.endpointHits, &l.endpointMisses},
		} {
			var hits, misses float64
			if n, _ := fmt.Sscanf(line.Text, format, &hits, &misses); n == 2 && hits+misses > 0 {
				*into[0], *into[1] = hits, misses
				found++
			}
		}
	}
	if found == 0 {
		t.Error("there are no statistics in the log")
	}
	return l
}

// checkComplete looks whether everything that a cache counts is among its metrics.
func checkComplete(ctx context.Context, cache *control.Client, metrics string) error {
	status, err := cache.Status(ctx)
	if err != nil {
		return err
	}
	var missing []string
	for _, m := range status.Metrics {
		if !strings.Contains("\n"+metrics, "\nscached_"+m.String()+" ") {
			missing = append(missing, m.String())
		}
	}
	if len(missing) > 0 || len(status.Metrics) < 50 {
		return fmt.Errorf("of %d metrics there are not %q", len(status.Metrics), missing)
	}
	return nil
}

// The exporter takes a socket from systemd, and its flags are those of the exporter
// toolkit: without a password it tells nothing here.
func TestExporterFlags(t *testing.T) {
	t.Parallel()
	programs := testbed.Programs(t)
	config := filepath.Join(t.TempDir(), "web.yml")
	const user = "basic_auth_users:\n  me: $2a$04$lO6n3B/O8h9WSiWkZeyq4enmbyBABQ8.JOVn8nxO/zvdbl/SEgkcC\n"
	if err := os.WriteFile(config, []byte(user), 0o600); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"`, programs+"/scachectl", "exporter",
		"--web.systemd-socket", "--web.config.file", config, "--socket", "/nonexistent")
	cmd.ExtraFiles = []*os.File{file}
	var output bytes.Buffer
	cmd.Stderr = &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	get := func(password string) (code int, text string, err error) {
		request, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+listener.Addr().String()+"/metrics", nil)
		if err != nil {
			return 0, "", err
		}
		if password != "" {
			request.SetBasicAuth("me", password)
		}
		response, err := (&http.Client{Timeout: 10 * time.Second}).Do(request)
		if err != nil {
			return 0, "", err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return response.StatusCode, string(body), err
	}
	for _, test := range []struct {
		password string
		code     int
		text     string
	}{{"", 401, ""}, {"wrong", 401, ""}, {"secret", 200, "\nscached_up 0\n"}} {
		code, text, err := get(test.password)
		if err != nil || code != test.code || !strings.Contains(text, test.text) {
			t.Errorf("with password %q: %d, %v, %q", test.password, code, err, text)
		}
	}
	cmd.Process.Signal(os.Interrupt)
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, &output)
	}
}

// checkMetrics lets promtool look at what the exporter says.
func checkMetrics(t *testing.T, metrics []byte) {
	t.Helper()
	cmd := exec.Command("promtool", "check", "metrics")
	cmd.Stdin = bytes.NewReader(metrics)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
	for _, word := range []string{"user@", "dest.example", "127.0.0.1"} {
		if strings.Contains(string(metrics), word) {
			t.Errorf("the metrics hold %q:\n%s", word, metrics)
		}
	}
}
