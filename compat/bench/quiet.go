package bench

import (
	"context"
	"fmt"
	"time"
)

const (
	// quietClients are connected and quietSessions are cached while nothing
	// happens.
	quietClients  = 8
	quietSessions = 1000
	// settling is how long a daemon is left alone before that is measured: what
	// it still does belongs to the requests.
	settling = 2 * time.Second
)

// A Quiet is what a daemon uses while nothing happens.
type Quiet struct {
	Clients  int     `json:"clients"`
	Sessions int     `json:"sessions"`
	Seconds  float64 `json:"seconds"`
	CPU      *Metric `json:"cpu"`
	Switches *Metric `json:"context_switches_per_second"`
	Threads  *Metric `json:"threads"`
}

func newQuiet(length time.Duration) *Quiet {
	return &Quiet{
		Clients: quietClients, Sessions: quietSessions, Seconds: length.Seconds(),
		CPU:      &Metric{Name: "CPU", Unit: "%"},
		Switches: &Metric{Name: "context switches", Unit: "/s"},
		Threads:  &Metric{Name: "threads"},
	}
}

func (q *Quiet) String() string {
	return fmt.Sprintf("nothing happens for %gs: %d clients connected, %d sessions cached", q.Seconds, q.Clients, q.Sessions)
}

func (q *Quiet) metrics() []*Metric { return []*Metric{q.CPU, q.Switches, q.Threads} }

// quiet leaves both daemons alone, at the same time and once: there is nothing
// in it that would differ from round to round.
func (r *run) quiet(ctx context.Context) error {
	r.report.Quiet = newQuiet(r.options.Quiet)
	sessions, err := connect(quietClients)
	if err != nil {
		return err
	}
	defer disconnect(sessions)
	for _, s := range r.subjects {
		defer s.stop()
		if err := s.prepareQuiet(ctx, r.options, sessions); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	if err := wait(ctx, settling); err != nil {
		return err
	}
	before, err := consumedBy(r.subjects)
	if err != nil {
		return err
	}
	begun := time.Now()
	if err := wait(ctx, r.options.Quiet); err != nil {
		return err
	}
	after, err := consumedBy(r.subjects)
	if err != nil {
		return err
	}
	took := time.Since(begun)
	for i, s := range r.subjects {
		r.report.Quiet.CPU.add(s, 100*(after[i].cpu-before[i].cpu).Seconds()/took.Seconds())
		r.report.Quiet.Switches.add(s, float64(after[i].switches-before[i].switches)/took.Seconds())
		r.report.Quiet.Threads.add(s, float64(after[i].threads))
		r.progress.step(settling + r.options.Quiet)
	}
	return nil
}

// prepareQuiet brings a daemon to where it has been at work.
func (s *subject) prepareQuiet(ctx context.Context, o Options, sessions []connection) error {
	if err := s.start(ctx, o, sessions); err != nil {
		return err
	}
	if err := s.fill(quietSessions); err != nil {
		return err
	}
	if err := s.needClients(ctx, quietClients); err != nil {
		return err
	}
	_, err := play([]*subject{s}, load{Clients: quietClients}, warmUp)
	return err
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
