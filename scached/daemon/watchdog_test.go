package daemon

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestWatchdog(t *testing.T) {
	const timeout = 18000 * time.Second
	tests := []struct {
		name  string
		turns []time.Duration // when the loop turns
		want  time.Duration   // when the watchdog has had enough
	}{
		{"never turns", nil, timeout},
		{"turns once", []time.Duration{time.Second}, timeout + timeout/3},
		{"turns now and then", []time.Duration{17999 * time.Second, 35000 * time.Second}, 54000 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				expired := make(chan time.Duration, 2)
				w := NewWatchdog(timeout, func() { expired <- time.Since(start) })
				for _, at := range test.turns {
					time.Sleep(at - time.Since(start))
					w.Turn()
				}
				if got := <-expired; got != test.want {
					t.Errorf("expired after %v, want %v", got, test.want)
				}
				time.Sleep(10 * timeout)
				if len(expired) != 0 {
					t.Error("expired twice")
				}
			})
		})
	}
}

// A loop with nothing to do keeps to the interval.
func TestWatchdogInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWatchdog(10*time.Second, func() { t.Error("expired") })
		for range 1000 {
			time.Sleep(w.Interval())
			w.Turn()
		}
		w.Stop()
	})
}

func TestTurnDoesNotAllocate(t *testing.T) {
	w := NewWatchdog(time.Hour, func() {})
	defer w.Stop()
	if n := testing.AllocsPerRun(100, w.Turn); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
