package daemon

import (
	"sync/atomic"
	"time"
)

// watchdogSteps is how often in its time a watchdog looks. Looking more than
// once keeps a stopped and continued process from being taken for a stuck one
// (src/util/watchdog.c).
const watchdogSteps = 3

// A Watchdog notices an event loop that no longer turns.
type Watchdog struct {
	turns   atomic.Uint64
	step    time.Duration
	expired func()

	timer   *time.Timer
	stopped atomic.Bool
	seen    uint64 // turns at the last look
	silent  int    // looks since then
}

// NewWatchdog starts watching. When timeout has passed without a [Watchdog.Turn]
// it calls expired, once, from a goroutine of its own; the caller will want
// that to be the "watchdog timeout" of [Log.Fatal].
//
// The first timer of a Go program opens descriptors. That is now, and not at
// some time later.
func NewWatchdog(timeout time.Duration, expired func()) *Watchdog {
	w := &Watchdog{step: timeout / watchdogSteps, expired: expired}
	w.timer = time.AfterFunc(1<<62, w.look)
	w.timer.Reset(w.step)
	return w
}

// Turn says that the loop is alive. It costs next to nothing.
func (w *Watchdog) Turn() { w.turns.Add(1) }

// Interval is how long a loop without work may sleep between two turns.
func (w *Watchdog) Interval() time.Duration { return w.step }

// Stop ends the watch.
func (w *Watchdog) Stop() {
	w.stopped.Store(true)
	w.timer.Stop()
}

func (w *Watchdog) look() {
	if w.stopped.Load() {
		return
	}
	if turns := w.turns.Load(); turns != w.seen {
		w.seen, w.silent = turns, 0
	} else if w.silent++; w.silent == watchdogSteps {
		w.expired()
		return
	}
	w.timer.Reset(w.step)
}
