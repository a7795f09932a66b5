package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"scache/compat/master"
)

// warmUp is how long a daemon is kept busy before it is measured.
const warmUp = 100 * time.Millisecond

// load puts the load on both daemons, case by case, in each round on fresh
// ones. System calls are counted at the end of the last round, since that makes
// a daemon slower.
func (r *run) load(ctx context.Context) error {
	for _, sessions := range r.options.Sessions {
		for _, clients := range r.options.Clients {
			r.report.Load = append(r.report.Load, newCase(sessions, clients))
		}
	}
	for round := range r.options.Rounds {
		last := round == r.options.Rounds-1
		if err := r.loadRound(ctx, last); err != nil {
			return fmt.Errorf("round %d: %w", round+1, err)
		}
	}
	return nil
}

func (r *run) loadRound(ctx context.Context, countCalls bool) error {
	sessions, err := connect(slices.Max(r.options.Clients))
	if err != nil {
		return err
	}
	defer disconnect(sessions)
	for _, s := range r.subjects {
		defer s.stop()
		if err := s.start(ctx, r.options, sessions); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	for _, c := range r.report.Load {
		for _, s := range r.subjects {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := r.measure(c, s); err != nil {
				return fmt.Errorf("%s, %d sessions, %d clients: %w", s, c.Sessions, c.Clients, err)
			}
			r.progress.step(r.options.Length + warmUp)
		}
		for _, s := range r.subjects {
			if countCalls {
				r.countCalls(c, s)
			}
		}
	}
	return nil
}

// measure takes all figures of a case in one round.
func (r *run) measure(c *Case, s *subject) error {
	if err := s.fill(c.Sessions); err != nil {
		return err
	}
	clients := s.clients[:c.Clients]
	if _, err := generate(clients, warmUp); err != nil {
		return err
	}
	before, err := processorTime(s.daemon.PID())
	if err != nil {
		return err
	}
	o, err := generate(clients, r.options.Length)
	if err != nil {
		return err
	}
	after, err := processorTime(s.daemon.PID())
	if err != nil {
		return err
	}
	resident, err := master.ResidentBytes(s.daemon.PID())
	if err != nil {
		return err
	}
	slices.Sort(o.latencies)
	c.CPU.add(s, micro(after-before)/float64(len(o.latencies)))
	c.Rate.add(s, float64(len(o.latencies))/o.took.Seconds())
	c.P50.add(s, micro(quantile(o.latencies, 0.50)))
	c.P99.add(s, micro(quantile(o.latencies, 0.99)))
	c.Max.add(s, micro(o.latencies[len(o.latencies)-1]))
	c.Memory.add(s, float64(resident)/1e6)
	return nil
}

// countCalls counts the system calls of a short run, if that is possible here.
func (r *run) countCalls(c *Case, s *subject) {
	if r.noCalls {
		return
	}
	cycles := 0
	calls, err := countCalls(s.daemon.PID(), func() error {
		o, err := generate(s.clients[:c.Clients], warmUp)
		cycles = len(o.latencies)
		return err
	})
	if err != nil {
		r.noCalls = true
		r.note("system calls are not counted: " + err.Error())
		return
	}
	c.Calls.add(s, float64(calls)/float64(cycles))
}

func micro(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// quantile is the value that a share q of the sorted values do not exceed.
func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}
