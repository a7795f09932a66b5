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
	turns atomic.Uint64
	step  time.Duration
	done  chan struct{}
}

// NewWatchdog starts watching. When timeout has passed without a [Watchdog.Turn]
// it calls expired, once, from a goroutine of its own; the caller will want
// that to be the "watchdog timeout" of [Log.Fatal].
func NewWatchdog(timeout time.Duration, expired func()) *Watchdog {
	w := &Watchdog{step: timeout / watchdogSteps, done: make(chan struct{})}
	go w.watch(expired)
	return w
}

// Turn says that the loop is alive. It costs next to nothing.
func (w *Watchdog) Turn() { w.turns.Add(1) }

// Interval is how long a loop without work may sleep between two turns.
func (w *Watchdog) Interval() time.Duration { return w.step }

// Stop ends the watch. It must not be called twice.
func (w *Watchdog) Stop() { close(w.done) }

func (w *Watchdog) watch(expired func()) {
	ticker := time.NewTicker(w.step)
	defer ticker.Stop()
	seen, silent := uint64(0), 0
	for silent < watchdogSteps {
		select {
		case <-w.done:
			return
		case <-ticker.C:
		}
		turns := w.turns.Load()
		if turns != seen {
			seen, silent = turns, 0
			continue
		}
		silent++
	}
	expired()
}
