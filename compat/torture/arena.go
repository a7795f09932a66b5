package torture

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"scache/compat/master"
	"scache/compat/wire"
)

// patience is how long a client waits for an answer before it counts as none.
const patience = 3 * time.Second

// An Arena is where an attack takes place: a daemon, and what is thrown at it.
type Arena struct {
	Daemon *master.Daemon
	Full   bool // as much as the user has time for, not as little as a test has

	ctx        context.Context // ends when the attack is over
	cancel     context.CancelFunc
	background sync.WaitGroup

	mu      sync.Mutex
	fds     []int    // owned
	remarks []string // for the table
	peak    int64    // see Outcome

	stopped time.Duration // for how long the attack itself has stopped the daemon
}

func newArena(ctx context.Context, d *master.Daemon, full bool) *Arena {
	a := &Arena{Daemon: d, Full: full}
	a.ctx, a.cancel = context.WithCancel(ctx)
	return a
}

// size is how many of something to use.
func (a *Arena) size(short, full int) int {
	if a.Full {
		return full
	}
	return short
}

// dial makes a client that is not greeted yet.
func (a *Arena) dial() (*wire.Client, error) { return wire.Dial(a.Daemon.Socket(), patience) }

// connect makes a client that lives as long as the attack.
func (a *Arena) connect() (*wire.Client, error) {
	c, err := a.dial()
	if err == nil {
		a.keep(c.FD())
	}
	return c, err
}

// greeted is connect for a client that has got its greeting.
func (a *Arena) greeted() (*wire.Client, error) {
	c, err := a.connect()
	if err == nil {
		err = c.Expect(wire.Greeting)
	}
	return c, err
}

// crowd makes n clients, greeted or not.
func (a *Arena) crowd(n int, connect func() (*wire.Client, error)) ([]*wire.Client, error) {
	clients := make([]*wire.Client, n)
	for i := range clients {
		var err error
		if clients[i], err = connect(); err != nil {
			return nil, fmt.Errorf("client %d: %w", i, err)
		}
	}
	return clients, nil
}

// bound is how long something may take.
func (a *Arena) bound(short, full time.Duration) time.Duration {
	if a.Full {
		return full
	}
	return short
}

// keep takes ownership of descriptors, until the attack is over.
func (a *Arena) keep(fds ...int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fds = append(a.fds, fds...)
}

// remark adds something to the attack's line of the table.
func (a *Arena) remark(format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.remarks = append(a.remarks, fmt.Sprintf(format, args...))
}

// start runs a function of which the attack consists while it lasts.
func (a *Arena) start(f func(ctx context.Context)) {
	a.background.Go(func() { f(a.ctx) })
}

// clear ends the attack.
func (a *Arena) clear() {
	a.cancel()
	a.background.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, fd := range a.fds {
		unix.Close(fd)
	}
	a.fds = nil
}

// alive tells whether the daemon still runs.
func (a *Arena) alive() bool {
	_, err := a.Daemon.Wait(time.Millisecond)
	return err != nil
}

// pause lets time pass, unless the attack is over before.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// eventually looks at cond until it is true, for no longer than timeout.
func eventually(timeout time.Duration, cond func() bool) bool {
	deadline := time.Now().Add(timeout)
	for !cond() {
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(5 * time.Millisecond)
	}
	return true
}
