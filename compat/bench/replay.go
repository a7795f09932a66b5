package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"

	"scache/compat/diff"
	"scache/compat/wire"
	"scache/scached/install"
)

// ReplayOptions say what to put a recorded load on.
type ReplayOptions struct {
	Scached   string // path of our daemon
	Reference string // path of the reference; the installed one if empty
	Load      int    // how many copies of the recording are played at a time
	Rounds    int    // how often each daemon plays it, in turn
}

// replayPatience is how long a client waits for an answer.
const replayPatience = patience * time.Second

// A played is what came of a recording, of all copies and rounds.
type played struct {
	latencies []time.Duration // of each request
	hits      int
	took      time.Duration
	cpu       time.Duration
}

// Replay plays the steps of a recording to both daemons in turn, in several copies at
// a time and without the pauses between them, and prints what each made of it. All
// copies use the same labels, so that they take each other's sessions, as more mail
// to the same destinations would.
func Replay(ctx context.Context, steps []diff.Step, o ReplayOptions, out io.Writer) (err error) {
	if o.Reference == "" {
		if o.Reference, err = install.ReferenceProgram(); err != nil {
			return err
		}
	}
	sessions, err := connect(1)
	if err != nil {
		return err
	}
	defer disconnect(sessions)
	subjects := []*subject{{program: o.Scached}, {program: o.Reference, reference: true}}
	results := make([]played, len(subjects))
	for _, s := range subjects {
		defer s.stop()
		if err := s.start(ctx, Options{TTL: longestBallastTTL}, sessions); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	for range max(o.Rounds, 1) {
		for i, s := range subjects {
			if err := s.replay(ctx, steps, o.Load, &results[i]); err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
		}
	}
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\trequests\tsessions found\trequests/s\tp50 µs\tp99 µs\tCPU µs/request\t")
	for i, s := range subjects {
		p := &results[i]
		slices.Sort(p.latencies)
		n := float64(len(p.latencies))
		fmt.Fprintf(w, "%s\t%d\t%d\t%.0f\t%.0f\t%.0f\t%.1f\t\n", s, len(p.latencies), p.hits, n/p.took.Seconds(),
			micro(quantile(p.latencies, 0.5)), micro(quantile(p.latencies, 0.99)), micro(p.cpu)/n)
	}
	return w.Flush()
}

// replay plays copies of a recording to a daemon at the same time.
func (s *subject) replay(ctx context.Context, steps []diff.Step, copies int, sum *played) error {
	before, err := consumed(s.daemon.PID())
	if err != nil {
		return err
	}
	begun := time.Now()
	parts, failures := make([]played, copies), make([]error, copies)
	var wait sync.WaitGroup
	for i := range copies {
		wait.Go(func() { failures[i] = s.replayOnce(ctx, steps, &parts[i]) })
	}
	wait.Wait()
	sum.took += time.Since(begun)
	after, err := consumed(s.daemon.PID())
	if err := errors.Join(append(failures, err)...); err != nil {
		return err
	}
	sum.cpu += after.cpu - before.cpu
	for _, p := range parts {
		sum.latencies = append(sum.latencies, p.latencies...)
		sum.hits += p.hits
	}
	if len(sum.latencies) == 0 {
		return errors.New("the recording has no requests")
	}
	return nil
}

// replayOnce plays one copy.
func (s *subject) replayOnce(ctx context.Context, steps []diff.Step, p *played) (err error) {
	clients := make(map[string]*wire.Client)
	defer func() {
		for _, c := range clients {
			c.Close()
		}
	}()
	for i := range steps {
		step := &steps[i]
		c := clients[step.Client]
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case step.Do == diff.Connect:
			if c, err = wire.DialGreeted(s.daemon.Socket(), replayPatience); err != nil {
				return fmt.Errorf("step %d: %w", i+1, err)
			}
			clients[step.Client] = c
		case c == nil:
		case step.Do == diff.Close || step.Do == diff.Shutdown:
			c.Close()
			delete(clients, step.Client)
		case step.Do == diff.Send || step.Do == diff.Find:
			begun := time.Now()
			if err := s.exchange(c, step, p); err != nil {
				return fmt.Errorf("step %d: %w", i+1, err)
			}
			p.latencies = append(p.latencies, time.Since(begun))
		}
	}
	return nil
}

// exchange is a request with its answer, and a session if one was found.
func (s *subject) exchange(c *wire.Client, step *diff.Step, p *played) error {
	var fds []int
	for range step.Descriptors {
		fds = append(fds, s.sessions[0].near)
	}
	if err := c.Send(string(step.Data), fds...); err != nil {
		return err
	}
	answer, err := heard(c)
	if err != nil || step.Do != diff.Find || !strings.HasPrefix(answer, "status\x000\x00") {
		return err
	}
	session, err := c.Take()
	if err == nil {
		unix.Close(session)
		p.hits++
	}
	return err
}

// heard is what the daemon answers: it writes all of an answer at once.
func heard(c *wire.Client) (string, error) {
	if !c.Await(replayPatience) {
		return "", wire.ErrNoAnswer
	}
	data, fds, ended, err := c.Arrived()
	for _, fd := range fds {
		unix.Close(fd)
	}
	if err == nil && ended {
		err = wire.ErrEnded
	}
	return string(data), err
}
