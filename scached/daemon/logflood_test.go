package daemon

import (
	"testing"
	"time"
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
