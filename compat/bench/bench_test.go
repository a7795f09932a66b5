package bench

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"

	"scache/compat/testbed"
	"scache/scached/install"
)

func TestMain(m *testing.M) {
	RunClient()
	if server := os.Getenv(leastVariable); server != "" {
		beLeastRelay(server)
	}
	// With the race detector each client would sleep for a second when it ends.
	os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0")
	testbed.Main(m)
}

// shortened are options for a measurement that takes a few seconds.
func shortened(t *testing.T, parts ...string) Options {
	o := Defaults()
	o.Scached = testbed.Scached(t)
	o.Parts = parts
	o.Sessions, o.Clients, o.Rounds, o.Length = []int{0, 50}, []int{1, 3}, 2, 20*time.Millisecond
	o.Pauses, o.PauseSessions = []time.Duration{together, time.Millisecond, 0}, []int{0}
	o.Quiet, o.Messages, o.Paced = 200*time.Millisecond, 20, time.Second/2
	return o
}

// needReference tells whether there is one, and fails where there has to be.
func needReference(t *testing.T) bool {
	t.Helper()
	_, err := install.ReferenceProgram()
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatalf("CI: %v", err)
	}
	if err != nil {
		t.Logf("NOT TESTED with the reference: %v", err)
	}
	return err == nil
}

// A short measurement of everything but mail. Every answer of a daemon is
// compared with what it should be on the way.
func TestRun(t *testing.T) {
	withReference := needReference(t)
	o := shortened(t, PartLoad, PartPauses, PartQuiet, PartStartup)
	var bar bytes.Buffer
	o.Progress = &bar
	report, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var loads []load
	for _, c := range report.Load {
		loads = append(loads, c.load)
		checkMetrics(t, withReference, o.Rounds, c.CPU, c.Rate, c.P50, c.P99, c.Max, c.Memory)
		// The rates are those of the pauses, within what a busy machine does.
		if most := float64(c.Clients) / c.Pause.Seconds(); c.Rate.Ours.Max() > most {
			t.Errorf("%v: %.0f cycles a second, at most %.0f are possible", c.load, c.Rate.Ours.Max(), most)
		}
		if c.P50.Ours.Median() > c.P99.Ours.Median() || c.P99.Ours.Median() > c.Max.Ours.Median() {
			t.Errorf("%v: p50, p99 and maximum: %v, %v, %v", c.load, c.P50.Ours, c.P99.Ours, c.Max.Ours)
		}
	}
	if diff := cmp.Diff([]load{
		{0, 1, together}, {0, 1, time.Millisecond}, {0, 1, 0}, {0, 3, 0}, {0, manyClients, manyPause},
		{50, 1, 0}, {50, 3, 0},
	}, loads); diff != "" {
		t.Errorf("cases (-want +got):\n%s", diff)
	}
	checkMetrics(t, withReference, o.Rounds*starts, report.Startup.metrics()...)
	checkMetrics(t, withReference, 1, report.Size, report.Quiet.Threads)
	if record, greeting := report.Startup.Record.Ours.Median(), report.Startup.Greeting.Ours.Median(); record > greeting+1000 {
		t.Errorf("the first record came after %v ms, the greeting after %v ms", record, greeting)
	}
	if cpu := report.Quiet.CPU.Ours; len(cpu) != 1 || cpu[0] < 0 || cpu[0] > 50 {
		t.Errorf("%v %% of a processor while nothing happens", cpu)
	}
	if !strings.Contains(bar.String(), "100%") {
		t.Errorf("the progress ends short: %q", bar.String())
	}
	checkOutput(t, report)
}

// A few messages through Postfix, at a pace and without: what its cache uses is
// measured.
func TestMail(t *testing.T) {
	testbed.NeedRoot(t)
	if !needReference(t) {
		return
	}
	o := shortened(t, PartMail, PartPaced)
	o.Rounds = 1
	report, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	checkMetrics(t, true, 1, append(report.Mail.metrics(), report.Paced.metrics()...)...)
	if rate := report.Paced.Rate.Ours.Max(); rate > mailPace*1.2 { // the last pause is missing
		t.Errorf("%v messages a second, should be %d", rate, mailPace)
	}
}

// checkMetrics wants a positive figure of each round, and of each daemon.
func checkMetrics(t *testing.T, withReference bool, rounds int, metrics ...*Metric) {
	t.Helper()
	for _, m := range metrics {
		if len(m.Ours) != rounds || m.Ours.Min() <= 0 {
			t.Errorf("%s: ours is %v, want %d figures", m.Name, m.Ours, rounds)
		}
		if !withReference {
			continue
		}
		if len(m.Reference) != rounds || m.Reference.Min() <= 0 {
			t.Errorf("%s: the reference's is %v, want %d figures", m.Name, m.Reference, rounds)
		}
		if ratio := m.Ratio().Median(); ratio < 0.001 || ratio > 1000 {
			t.Errorf("%s: the ratio is %v", m.Name, ratio)
		}
	}
}

func checkOutput(t *testing.T, report *Report) {
	t.Helper()
	var text, markdown, encoded, sessions, rates bytes.Buffer
	if err := errors.Join(report.WriteText(&text), report.WriteMarkdown(&markdown), report.WriteJSON(&encoded),
		report.WriteSessionsPlot(&sessions), report.WriteRatePlot(&rates)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"50 sessions cached, 3 clients, no pause, 2 rounds", "0 sessions cached, 1 client, pauses of 20ms",
		"nothing happens for 0.2s: 8 clients connected, 1000 sessions cached", "start to the first record", "average of 2 pauses",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in the text:\n%s", want, &text)
		}
	}
	if want := "| 0 sessions cached, 20 clients, pauses of 2ms | "; !strings.Contains(markdown.String(), want) {
		t.Errorf("no %q in the tables:\n%s", want, &markdown)
	}
	decoded, err := ReadReport(&encoded)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(report, decoded, cmp.AllowUnexported(Case{}), cmpopts.EquateApproxTime(time.Second)); diff != "" {
		t.Errorf("JSON (-written +read):\n%s", diff)
	}
	checkPlot(t, &sessions, []string{"scached, 1 client", "scached, 3 clients"})
	checkPlot(t, &rates, []string{"scached, 0 sessions"})
}

// checkPlot wants lines of those names for our daemon.
func checkPlot(t *testing.T, svg io.Reader, want []string) {
	t.Helper()
	var lines []string
	for decoder := xml.NewDecoder(svg); ; {
		token, err := decoder.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("SVG: %v", err)
		}
		if data, ok := token.(xml.CharData); ok && strings.HasPrefix(string(data), "scached, ") {
			lines = append(lines, string(data))
		}
	}
	slices.Sort(lines)
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("lines of the plot (-want +got):\n%s", diff)
	}
}

// A run that is interrupted says so, whatever the daemons did about it.
func TestInterrupted(t *testing.T) {
	o := Defaults()
	o.Scached = testbed.Scached(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
}

// Sessions that expire are measured while they do, and all of them are gone
// afterwards.
func TestExpireAll(t *testing.T) {
	s := &subject{program: testbed.Scached(t)}
	due := time.Now().Add(4 * time.Second).Truncate(time.Second)
	own, err := connect(1)
	if err != nil {
		t.Fatal(err)
	}
	defer disconnect(own)
	defer s.stop()
	if err := s.start(t.Context(), Defaults(), own); err != nil {
		t.Fatal(err)
	}
	before, err := s.daemon.Descriptors()
	if err != nil {
		t.Fatal(err)
	}
	far, err := s.saveDue(100, due)
	defer disconnect(far)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.daemon.WaitDescriptors(len(before)+100, time.Second); err != nil {
		t.Error(err)
	}
	if err := s.daemon.WaitDescriptors(len(before), 5*time.Second); err != nil {
		t.Error(err)
	}
	if late := time.Since(due); late < -time.Second || late > 3*time.Second {
		t.Errorf("gone %v after they were due", late)
	}
}

func TestOptions(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(o *Options)
		want   string
	}{
		{"no rounds", func(o *Options) { o.Rounds = 0 }, "round"},
		{"no time", func(o *Options) { o.Length = 0 }, "takes time"},
		{"sizes that fall", func(o *Options) { o.Sessions = []int{5, 3} }, "rising"},
		{"no sizes", func(o *Options) { o.Sessions = nil }, "rising"},
		{"too many sessions", func(o *Options) { o.Sessions = []int{100_000} }, "at most 19000"},
		{"no ttl", func(o *Options) { o.TTL = 0 }, "ttl"},
		{"a pause that is too long", func(o *Options) { o.Pauses = []time.Duration{time.Minute} }, "pauses: from 0 to 2s"},
		{"no client", func(o *Options) { o.Clients = []int{0} }, "clients"},
		{"unknown part", func(o *Options) { o.Parts = []string{"lead"} }, "no such part: lead"},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := Defaults()
			test.change(&o)
			if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

// A wrong answer is an error, not a figure.
func TestClientChecksAnswers(t *testing.T) {
	for _, test := range []struct{ name, answer, want string }{
		{"wrong", "status\x002\x00\x00", "find_endp: the answer is"},
		{"too long", "status\x000\x00\x00x", "find_endp: the answer is"},
		{"cut off", "status\x00", "find_endp: the answer is"},
	} {
		t.Run(test.name, func(t *testing.T) {
			pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(pair[0])
			if _, err := unix.Write(pair[0], greeting); err != nil {
				t.Fatal(err)
			}
			c, err := newClient(pair[1], -1)
			if err != nil {
				t.Fatal(err)
			}
			defer c.close()
			if _, err := unix.Write(pair[0], []byte(test.answer)); err != nil {
				t.Fatal(err)
			}
			unix.Shutdown(pair[0], unix.SHUT_WR)
			err = c.play([]step{{name: "find_endp", send: nul, expect: saved}})
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

// Clients are processes of their own, which are gone when they were stopped, and
// the daemon under load is not among them.
func TestClientProcesses(t *testing.T) {
	s := &subject{program: testbed.Scached(t)}
	own, err := connect(2)
	if err != nil {
		t.Fatal(err)
	}
	defer disconnect(own)
	defer s.stop()
	if err := s.start(t.Context(), Defaults(), own); err != nil {
		t.Fatal(err)
	}
	if err := s.needClients(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	pids := map[int]bool{os.Getpid(): true, s.daemon.PID(): true}
	for _, p := range s.clients {
		pid := p.cmd.Process.Pid
		if pids[pid] {
			t.Errorf("process %d is a client and something else", pid)
		}
		pids[pid] = true
		defer func() {
			if err := unix.Kill(pid, 0); err != unix.ESRCH {
				t.Errorf("client process %d after its end: %v", pid, err)
			}
		}()
	}
	const pause, length = 5 * time.Millisecond, 50 * time.Millisecond
	before, err := consumedBy([]*subject{s})
	if err != nil {
		t.Fatal(err)
	}
	tallies, err := play([]*subject{s}, load{Clients: 2, Pause: pause}, length)
	if err != nil {
		t.Fatal(err)
	}
	after, err := consumedBy([]*subject{s})
	if err != nil {
		t.Fatal(err)
	}
	if n := tallies[0].cycles(); n < 2 || n > 2*int(length/pause+1) {
		t.Errorf("2 clients with pauses of %v went through %d cycles in %v", pause, n, length)
	}
	if took := tallies[0].took; took < length {
		t.Errorf("%v took %v", length, took)
	}
	if after[0].cpu <= before[0].cpu || after[0].switches <= before[0].switches {
		t.Errorf("the daemon consumed %+v before, %+v after", before[0], after[0])
	}
	s.stop()
}

// A client whose daemon is gone says so.
func TestClientProcessFails(t *testing.T) {
	intro := introduction{Socket: t.TempDir() + "/none", Name: "client", TTL: 1}
	own, err := connect(1)
	if err != nil {
		t.Fatal(err)
	}
	defer disconnect(own)
	if _, err := startClient(t.Context(), intro, own[0].near); err == nil || !strings.Contains(err.Error(), "connect to "+intro.Socket) {
		t.Errorf("error %v, want one about the socket", err)
	}
}
