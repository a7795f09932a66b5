package bench

import (
	"os"
	"os/exec"
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
	r := &Report{Expiry: &Metric{Ours: Series{25, 10, 30}}, Mail: &Metric{Ours: Series{300}, Reference: Series{200}}}
	none, many := newCase(load{0, 1, 0}), newCase(load{18000, 1, 0})
	none.CPU.Ours, none.CPU.Reference = Series{40}, Series{80}
	many.CPU.Ours = Series{60}
	r.Load = []*Case{none, many}
	r.judge()
	met := make(map[string]bool)
	for _, g := range r.Goals {
		met[g.Name] = g.Met()
	}
	if diff := cmp.Diff(map[string]bool{
		"CPU a cycle, nothing cached, 1 client, to the reference":  true,  // 0.5
		"CPU a cycle, 18000 sessions, to that with nothing cached": false, // 1.5
		"longest cycle while 10000 sessions expire, ms":            false, // 25
		"messages a second through Postfix, to the reference":      true,  // 1.5
	}, met); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
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
