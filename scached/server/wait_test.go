package server

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"scache/compat/wire"
)

// openWaiter is a waiter that watches an eventfd, until the test ends.
func openWaiter(t *testing.T) (w *waiter, event int) {
	t.Helper()
	w = &waiter{epoll: -1}
	t.Cleanup(w.close)
	if err := w.open(); err != nil {
		t.Fatal(err)
	}
	event, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(event) })
	if err := w.watch(unix.EPOLL_CTL_ADD, event, unix.EPOLLIN, aboutWake); err != nil {
		t.Fatal(err)
	}
	return w, event
}

// signal adds one to an eventfd.
func signal(t *testing.T, event int) {
	one := [8]byte{1}
	if _, err := unix.Write(event, one[:]); err != nil {
		t.Error(err)
	}
}

// clear makes it zero again.
func clearEvent(t *testing.T, event int) {
	var count [8]byte
	if _, err := unix.Read(event, count[:]); err != nil {
		t.Error(err)
	}
}

// However a waiter waits, and whenever it changes over, no event is missed.
func TestWaiterMissesNothing(t *testing.T) {
	w, event := openWaiter(t)
	for i := range 2000 {
		w.gaps, w.quiet = busyGaps, i/3%2 == 0 // busy, quiet, and both ways between them
		if i%2 == 0 {
			signal(t, event) // before the wait
		} else {
			go signal(t, event) // perhaps in it
		}
		events, err := w.wait()
		for err == nil && len(events) == 0 { // a signal of the runtime's ended the wait
			events, err = w.wait()
		}
		if err != nil || len(events) != 1 || events[0].Pad != aboutWake {
			t.Fatalf("wait %d: %v, %v", i, events, err)
		}
		clearEvent(t, event)
	}
}

// A step is a number of turns, each some time after the one before.
type waitStep struct {
	turns  int
	gap    time.Duration
	events int
	rang   bool
}

func TestBusyAndQuiet(t *testing.T) {
	const us = time.Microsecond
	short := func(n int) waitStep { return waitStep{turns: n, gap: 20 * us, events: 1} }
	long := func(n int) waitStep { return waitStep{turns: n, gap: 5000 * us, events: 1} }
	tick := func(n int) waitStep { return waitStep{turns: n, gap: 1000 * us, rang: true} }
	for _, test := range []struct {
		name  string
		steps []waitStep
		busy  bool
	}{
		{"at first", nil, false},
		{"a burst of requests", []waitStep{short(10)}, false},
		{"busy", []waitStep{short(busyGaps + 1)}, true},
		{"bursts with pauses", []waitStep{short(10), long(1), short(10), long(1), short(10), long(1), short(10)}, false},
		{"a tick in a busy time", []waitStep{short(100), tick(1)}, true},
		{"nothing since a tick", []waitStep{short(100), tick(2)}, false},
		{"a tick with an event", []waitStep{short(100), tick(1), {turns: 1, gap: 20 * us, events: 1, rang: true}, tick(1)}, true},
		{"a hiccup in a busy second", []waitStep{short(1000), tick(2), long(1)}, true},
		{"hiccups after a busy second", []waitStep{short(1000), long(5)}, false},
		{"no events at all", []waitStep{short(100), {turns: 50}}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var w waiter
			now := time.Now()
			for _, s := range test.steps {
				for range s.turns {
					now = now.Add(s.gap)
					w.note(now, s.events, s.rang)
				}
			}
			if w.busy() != test.busy {
				t.Errorf("busy is %v; gaps %d, quiet %v", w.busy(), w.gaps, w.quiet)
			}
		})
	}
}

// While nothing happens the loop does not turn, whatever is cached.
func TestLoopRests(t *testing.T) {
	turns := make(chan struct{}, 1000)
	path, _ := startServer(t, func(c *Config) {
		c.TTLLimit = time.Hour
		c.Turn = func() { turns <- struct{}{} }
	})
	c, err := wire.DialGreeted(path, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, ttl := range []string{"3600", "3500"} {
		if err := c.Ask(wire.SaveDestination("d"+ttl, ttl, "e"), wire.List("status", "0")); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(100 * time.Millisecond) // what the requests have left to be done is done
	for len(turns) > 0 {
		<-turns
	}
	time.Sleep(1200 * time.Millisecond) // a second begins
	if n := len(turns); n > 0 {
		t.Errorf("%d turns in a quiet second", n)
	}
}
