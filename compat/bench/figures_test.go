package bench

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSeries(t *testing.T) {
	for _, test := range []struct {
		name             string
		series           Series
		median, min, max float64
	}{
		{"none", nil, 0, 0, 0},
		{"one", Series{3}, 3, 3, 3},
		{"odd", Series{9, 1, 2}, 2, 1, 9},
		{"even", Series{4, 1, 9, 2}, 3, 1, 9},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := []float64{test.series.Median(), test.series.Min(), test.series.Max()}
			if diff := cmp.Diff([]float64{test.median, test.min, test.max}, got); diff != "" {
				t.Errorf("median, min, max (-want +got):\n%s", diff)
			}
		})
	}
}

// Ratios are those of the rounds, not of the medians.
func TestRatio(t *testing.T) {
	m := Metric{Ours: Series{1, 10, 3}, Reference: Series{2, 5, 0}}
	if diff := cmp.Diff(Series{0.5, 2}, m.Ratio()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestQuantile(t *testing.T) {
	var sorted []time.Duration
	for i := range 200 {
		sorted = append(sorted, time.Duration(i))
	}
	for q, want := range map[float64]time.Duration{0: 0, 0.5: 100, 0.99: 198, 1: 199} {
		if got := quantile(sorted, q); got != want {
			t.Errorf("quantile %v is %d, want %d", q, got, want)
		}
	}
}

func TestGoals(t *testing.T) {
	r := &Report{
		Expiry: &Metric{Name: "longest cycle", Ours: Series{25, 10, 30}},
		Mail:   newMail(100, 0), Paced: newMail(60, mailPace), Quiet: newQuiet(time.Second),
	}
	r.Mail.Rate.Ours, r.Mail.Rate.Reference = Series{300}, Series{200}
	r.Paced.CPU.Ours, r.Paced.CPU.Reference = Series{300}, Series{200}
	r.Quiet.CPU.Ours, r.Quiet.Switches.Ours = Series{0.01}, Series{1}
	for _, c := range []struct {
		load
		ours, reference Series
	}{
		{load{0, 1, 0}, Series{40}, Series{80}},
		{load{0, 1, time.Second}, Series{120}, Series{100}},
		{load{0, 1, time.Millisecond}, Series{50}, Series{100}},
		{load{10000, 1, time.Second}, Series{200}, Series{100}}, // not judged
		{load{18000, 1, 0}, Series{60}, nil},
	} {
		one := newCase(c.load)
		one.CPU.Ours, one.CPU.Reference = c.ours, c.reference
		r.Load = append(r.Load, one)
	}
	r.judge()
	met := make(map[string]bool)
	for _, g := range r.Goals {
		met[g.Name] = g.Met()
	}
	if diff := cmp.Diff(map[string]bool{
		"CPU a cycle, 0 sessions cached, 1 client, no pause":                   true,  // 0.5
		"CPU a cycle, 18000 sessions, to our own with none":                    false, // 1.5
		"CPU a cycle, 0 sessions cached, 1 client, pauses of 1s":               false, // 1.2
		"CPU a cycle, 0 sessions cached, 1 client, pauses of 1ms":              true,  // 0.5
		"CPU a cycle, average of 2 pauses":                                     true,  // 0.85
		"CPU while nothing happens, %, ours":                                   true,  // 0.01
		"context switches a second while nothing happens, ours":                false, // 1
		"longest cycle while 10000 sessions expire, ms, ours":                  false, // 25
		"messages a second, 100 messages through Postfix, as fast as they go":  true,  // 1.5
		"CPU of the cache a message, 60 messages through Postfix, 60 a second": false, // 1.5
	}, met); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestParseSwitches(t *testing.T) {
	for _, test := range []struct {
		name, status string
		want         int
		ok           bool
	}{
		{"both", "Name:\tscached\nvoluntary_ctxt_switches:\t12\nnonvoluntary_ctxt_switches:\t3\n", 15, true},
		{"one is missing", "voluntary_ctxt_switches:\t12\n", 0, false},
		{"no number", "voluntary_ctxt_switches:\t12\nnonvoluntary_ctxt_switches:\tx\n", 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseSwitches(test.status)
			if got != test.want || (err == nil) != test.ok {
				t.Errorf("%d, %v; want %d, %v", got, err, test.want, test.ok)
			}
		})
	}
}

// Reports of the same programs are joined by the case.
func TestJoin(t *testing.T) {
	report := func(program string, loads ...load) *Report {
		r := &Report{Scached: Program{SHA256: program}}
		for _, l := range loads {
			c := newCase(l)
			c.CPU.Ours, c.CPU.Reference = Series{1}, Series{2}
			r.Load = append(r.Load, c)
		}
		return r
	}
	all, err := Join(report("a", load{100, 1, 0}), report("a", load{0, 1, 0}, load{100, 1, 0}))
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[load]Series)
	for _, c := range all.Load {
		got[c.load] = c.CPU.Ratio()
	}
	if diff := cmp.Diff(map[load]Series{{0, 1, 0}: {0.5}, {100, 1, 0}: {0.5, 0.5}}, got); diff != "" {
		t.Errorf("ratios (-want +got):\n%s", diff)
	}
	if all.Load[0].Sessions != 0 {
		t.Errorf("the cases are not in order: %v", all.Load[0].load)
	}
	if _, err := Join(report("a"), report("b")); err == nil || !strings.Contains(err.Error(), "same programs") {
		t.Errorf("error %v of reports of two programs", err)
	}
}

func TestParseCalls(t *testing.T) {
	for _, test := range []struct {
		name  string
		parse func(string) (int, error)
		text  string
		want  int
		ok    bool
	}{
		{"perf", parsePerf, "Events disabled\n12345,,raw_syscalls:sys_enter,1000,100.00,,\n", 12345, true},
		{"perf, not counted", parsePerf, "<not counted>,,raw_syscalls:sys_enter,0,0.00,,\n", 0, false},
		{"perf, nothing", parsePerf, "", 0, false},
		{"strace", parseStrace, "% time     seconds  usecs/call     calls    errors syscall\n" +
			" 60.00    0.000030           1        20         2 recvmsg\n" +
			"100.00    0.000050           1        42         2 total\n", 42, true},
		{"strace, nothing", parseStrace, "strace: Process 1 detached\n", 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.parse(test.text)
			if got != test.want || (err == nil) != test.ok {
				t.Errorf("%d, %v; want %d, %v", got, err, test.want, test.ok)
			}
		})
	}
}

// The clock of a process is that of its threads together, and goes on.
func TestProcessorTime(t *testing.T) {
	pid := os.Getpid()
	before, err := processorTime(pid)
	if err != nil {
		t.Fatal(err)
	}
	for begun := time.Now(); time.Since(begun) < 20*time.Millisecond; {
	}
	after, err := processorTime(pid)
	if err != nil {
		t.Fatal(err)
	}
	if used := after - before; used <= 0 || used > time.Minute {
		t.Errorf("20 ms of work took %v", used)
	}
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	if _, err := processorTime(gone.Process.Pid); err == nil {
		t.Error("there is a clock of a process that has ended")
	}
}
