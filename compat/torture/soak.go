package torture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"scache/compat/master"
	"scache/compat/wire"
)

// SoakOptions say how long to go on.
type SoakOptions struct {
	Program  string
	Duration time.Duration
	// Pause is how long each of the clients does something else between two
	// actions; 0 is not at all.
	Pause time.Duration
	Out   io.Writer
}

// ErrGrown means that a daemon takes more and more.
var ErrGrown = errors.New("the daemon has grown")

// samples is how often the daemon is measured.
const samples = 24

// soakClients is how many clients there are at a time.
const soakClients = 8

// Soak lets clients of all kinds come and go for a long time, and prints what
// the daemon has of descriptors and memory. The error is [ErrGrown] when that
// becomes more and more.
func Soak(ctx context.Context, o SoakOptions) error {
	d, err := master.Start(ctx, master.Options{Program: o.Program, Unprivileged: true, Chroot: true, Log: master.LogPostlog})
	if err != nil {
		return err
	}
	defer d.Close()
	if err := knock(d); err != nil {
		return err
	}
	before, err := settle(d)
	if err != nil {
		return err
	}
	s := &soak{daemon: d, pause: o.Pause}
	history, err := s.run(ctx, o)
	if err != nil {
		return fmt.Errorf("%w; the log ends:\n%s", err, d.Log.Tail(0, 10))
	}
	after, err := settleTo(d, before.descriptors, defaultSettle)
	if err != nil {
		return err
	}
	fmt.Fprintf(o.Out, "at the end: %d descriptors, before: %d\n", after.descriptors, before.descriptors)
	if after.descriptors > before.descriptors {
		return fmt.Errorf("%w: %d descriptors more than before", ErrGrown, after.descriptors-before.descriptors)
	}
	return grown(history)
}

// knock makes sure that the daemon serves clients.
func knock(d *master.Daemon) error {
	g := newGoodClient(d.Socket(), "knock")
	defer g.close()
	return g.cycle()
}

// A soak is what the clients have in common.
type soak struct {
	daemon  *master.Daemon
	pause   time.Duration
	actions atomic.Int64
}

// run lets the clients go on for as long as wanted, and measures.
func (s *soak) run(ctx context.Context, o SoakOptions) (history []vitals, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, o.Duration, nil)
	defer cancel()
	var clients sync.WaitGroup
	failures := make(chan error, soakClients)
	for i := range soakClients {
		clients.Go(func() {
			if err := s.client(ctx, i); err != nil {
				failures <- fmt.Errorf("client %d: %w", i, err)
				cancel()
			}
		})
	}
	fmt.Fprintf(o.Out, "%10s %12s %12s %12s %10s\n", "time", "actions", "descriptors", "memory", "processor")
	start := time.Now()
	for ctx.Err() == nil {
		pause(ctx, o.Duration/samples)
		now, err := measure(s.daemon)
		if err != nil {
			cancel()
			clients.Wait()
			return nil, err
		}
		used, _ := processorTime(s.daemon.PID())
		history = append(history, now)
		fmt.Fprintf(o.Out, "%10s %12d %12d %8.1f MiB %8.1f s\n", time.Since(start).Round(100*time.Millisecond), s.actions.Load(),
			now.descriptors, float64(now.memory)/(1<<20), used)
	}
	clients.Wait()
	close(failures)
	return history, <-failures
}

// client acts until ctx ends. Only what a good client does can fail.
func (s *soak) client(ctx context.Context, number int) error {
	random := rand.New(rand.NewPCG(uint64(number), 1))
	g := newGoodClient(s.daemon.Socket(), fmt.Sprint("client ", number))
	defer g.close()
	a := newArena(ctx, s.daemon, false)
	defer a.clear()
	for ctx.Err() == nil {
		if err := g.cycle(); err != nil {
			return err
		}
		g.took = g.took[:0]
		if err := s.act(a, random); err != nil {
			return err
		}
		s.actions.Add(1)
		if s.pause > 0 {
			pause(ctx, s.pause)
		}
	}
	return nil
}

// act does one thing with a connection of its own: what smtp(8) does, what it
// does when it is killed, and what it never does.
func (s *soak) act(a *Arena, random *rand.Rand) error {
	c, err := a.dial()
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Expect(wire.Greeting); err != nil {
		return err
	}
	label := fmt.Sprint("label ", random.IntN(1_000_000))
	switch random.IntN(8) {
	case 0:
		return c.Ask(wire.SaveDestination(label, "2", label), wire.Done)
	case 1, 2:
		return saveAndForget(c, label, "1")
	case 3:
		return c.Ask(wire.FindDestination(label), wire.MissedBy)
	case 4:
		c.TrySend(halfRequest)
	case 5:
		c.TrySend(randomBytes(random, random.IntN(2000)))
	case 6:
		if err := owe(c); err != nil {
			return err
		}
		return c.SendControl("\x00", wire.Same(c.FD(), 1+random.IntN(3)))
	case 7:
		if err := saveAndForget(c, label, "2"); err != nil {
			return err
		}
		c.TrySend(wire.FindEndpoint(label)) // and does not stay for it
	}
	return nil
}

// grownSlack is by how much memory may differ from one measurement to another,
// in bytes, without being called growth.
const grownSlack = 4 << 20

// grown compares the last quarter of the measurements with the second: the first
// one is spent on becoming as large as is needed.
func grown(history []vitals) error {
	quarter := len(history) / 4
	if quarter == 0 {
		return nil
	}
	early := history[quarter].memory
	for _, v := range history[quarter : 2*quarter] {
		early = max(early, v.memory)
	}
	late := history[len(history)-1].memory
	for _, v := range history[len(history)-quarter:] {
		late = min(late, v.memory)
	}
	if late > early+grownSlack {
		return fmt.Errorf("%w: from at most %d KiB in the second quarter to at least %d KiB in the last one", ErrGrown, early>>10, late>>10)
	}
	return nil
}
