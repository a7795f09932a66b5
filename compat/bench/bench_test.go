package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"scache/compat/testbed"
	"scache/scached/install"
)

func TestMain(m *testing.M) {
	RunClient()
	testbed.Main(m)
}

// A short measurement of everything but mail. Every answer of a daemon is
// compared with what it should be on the way.
func TestRun(t *testing.T) {
	_, err := install.ReferenceProgram()
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatalf("CI: %v", err)
	}
	withReference := err == nil
	if !withReference {
		t.Logf("NOT TESTED with the reference: %v", err)
	}
	o := Defaults()
	o.Scached = testbed.Scached(t)
	o.Parts = []string{PartLoad, PartPauses, PartStartup}
	o.Sessions, o.Clients, o.Rounds, o.Length = []int{0, 50}, []int{1, 3}, 2, 20*time.Millisecond
	o.Pauses, o.PauseSessions = []time.Duration{together, time.Millisecond, 0}, []int{0}
	var bar bytes.Buffer
	o.Progress = &bar
	report, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var loads []load
	for _, c := range report.Load {
		loads = append(loads, c.load)
		for _, m := range append(c.metrics(), report.Startup, report.Size) {
			if m == c.Calls || m == c.Switches {
				continue // may be impossible here, and comes once; may be none
			}
			checkMetric(t, m, withReference)
		}
		if want := o.Rounds; len(c.CPU.Ours) != want {
			t.Errorf("%v: %d rounds, want %d", c.load, len(c.CPU.Ours), want)
		}
	}
	if diff := cmp.Diff([]load{
		{0, 1, 0}, {0, 3, 0}, {0, 1, together}, {0, 1, time.Millisecond}, {0, manyClients, manyPause},
		{50, 1, 0}, {50, 3, 0},
	}, loads); diff != "" {
		t.Errorf("cases (-want +got):\n%s", diff)
	}
	if !strings.Contains(bar.String(), "100%") {
		t.Errorf("the progress ends short: %q", bar.String())
	}
	checkOutput(t, report)
}

func checkMetric(t *testing.T, m *Metric, withReference bool) {
	t.Helper()
	if len(m.Ours) == 0 || m.Ours.Min() <= 0 {
		t.Errorf("%s: ours is %v", m.Name, m.Ours)
	}
	if withReference != (len(m.Reference) == len(m.Ours)) {
		t.Errorf("%s: %d figures of ours, %d of the reference", m.Name, len(m.Ours), len(m.Reference))
	}
}

func checkOutput(t *testing.T, report *Report) {
	t.Helper()
	var text, encoded, svg bytes.Buffer
	if err := errors.Join(report.WriteText(&text), report.WriteJSON(&encoded), report.WritePlot(&svg)); err != nil {
		t.Fatal(err)
	}
	if want := "50 sessions cached, 3 clients, no pause"; !strings.Contains(text.String(), want) {
		t.Errorf("no %q in the text:\n%s", want, &text)
	}
	var decoded struct {
		Load []struct {
			CPU struct{ Ours struct{ Rounds []float64 } } `json:"cpu_per_cycle"`
		}
	}
	if err := json.Unmarshal(encoded.Bytes(), &decoded); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float64(report.Load[6].CPU.Ours), decoded.Load[6].CPU.Ours.Rounds); diff != "" {
		t.Errorf("JSON (-report +JSON):\n%s", diff)
	}
	decoder, lines := xml.NewDecoder(&svg), 0
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("SVG: %v", err)
		}
		if data, ok := token.(xml.CharData); ok && strings.HasPrefix(string(data), "scached, ") {
			lines++
		}
	}
	if lines != 2 {
		t.Errorf("the plot names %d lines of ours, want 2", lines)
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
			o.Scached = "/nonexistent"
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
