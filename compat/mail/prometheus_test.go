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
	delivery.After = func(ctx context.Context, p *postfix.Instance, _ *Sink) error {
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
		prometheus := startPrometheus(t, o.Addresses[0])
		known = map[string]float64{}
		return within(ctx, func() error {
			for _, expression := range []string{
				`sum(scached_handovers_total{result="done"})`, `sum(scached_lookups_total{result="hit"})`,
				`sum(scached_saves_total{kind="session"})`, `sum(scached_session_age_seconds_count{end="hit"})`,
				`scached_up`, balance,
			} {
				value, err := prometheus.query(expression)
				if err != nil {
					return err
				}
				known[expression] = value
			}
			return nil
		})
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
	for expression, want := range map[string]float64{
		`sum(scached_handovers_total{result="done"})`:       float64(r.Reused),
		`sum(scached_lookups_total{result="hit"})`:          float64(r.Reused),
		`sum(scached_session_age_seconds_count{end="hit"})`: float64(r.Reused),
		`sum(scached_saves_total{kind="session"})`:          float64(r.Sent),
		balance:      0,
		`scached_up`: 1,
	} {
		if got := known[expression]; got != want {
			t.Errorf("%s is %v, want %v", expression, got, want)
		}
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
