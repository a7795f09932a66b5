package daemon

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFloodGate(t *testing.T) {
	start := time.Unix(1000, 0)
	g := floodGate{perSecond: 100}
	if g.shut() {
		t.Error("shut at first")
	}
	pass := func(now time.Time, tries int) (passed int) {
		for range tries {
			if g.allow(now) {
				passed++
			}
		}
		return passed
	}
	for _, tt := range []struct {
		what  string
		after time.Duration
		tries int
		want  int
	}{
		{"at once", 0, 1500, 1000},
		{"and no more", 0, 10, 0},
		{"a tenth of a second later", 100 * time.Millisecond, 1000, 10},
		{"a second later", 1100 * time.Millisecond, 1000, 100},
		{"the clock was set back", 0, 10, 0},
		{"much later", time.Hour, 1500, 1000},
	} {
		if got := pass(start.Add(tt.after), tt.tries); got != tt.want {
			t.Errorf("%s: %d of %d passed, want %d", tt.what, got, tt.tries, tt.want)
		}
		if !g.shut() {
			t.Errorf("%s: more can pass", tt.what)
		}
	}
	off := floodGate{}
	for range 5000 {
		if !off.allow(start) || off.shut() {
			t.Fatal("held back although there is no limit")
		}
	}
}

// Warnings about clients are held back when there are too many, and counted once
// each; what the daemon has to say for itself passes.
func TestClientLog(t *testing.T) {
	service := listenLog(t, testSocket(t))
	l := testLog()
	defer l.close(t)
	l.useSyslog("t", service.path)
	clients := l.ForClients(1)
	for i := range 15 {
		clients.Warning("c")
		if got := clients.Flooded(); got != (i >= 9) {
			t.Errorf("after %d warnings flooded is %t", i+1, got)
		}
	}
	clients.Info("i")
	l.Warning("own")
	want := append(slices.Repeat([]string{"warning: c"}, 10), "warning: log lines lost: 5", "i", "warning: own")
	eventually(t, "the log", func() bool { return len(service.all()) >= len(want) })
	if diff := cmp.Diff(want, service.texts()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := clients.Suppressed(); got != 5 {
		t.Errorf("%d warnings were suppressed, want 5", got)
	}
	if n := testing.AllocsPerRun(100, func() { clients.Warning("c") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
