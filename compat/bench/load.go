package bench

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"scache/compat/master"
)

const (
	// warmUp is how long a daemon is kept busy before it is measured, at least.
	warmUp = 100 * time.Millisecond
	// longestWarmUp is how long at most, however long the pauses.
	longestWarmUp = time.Second
	// leastCycles is how many cycles with a pause are measured at least.
	leastCycles = 5
	// together is the pause from which both daemons are measured at the same
	// time, their clients half a pause apart: neither is ever in the other's way.
	together = 20 * time.Millisecond
)

// A load is how many clients go through cycles, with which pause between two,
// on a cache of how many sessions.
type load struct {
	Sessions int           `json:"sessions"`
	Clients  int           `json:"clients"`
	Pause    time.Duration `json:"pause"`
}

// compare orders loads: a cache grows, clients become more, pauses shorter.
func (l load) compare(other load) int {
	return cmp.Or(cmp.Compare(l.Sessions, other.Sessions), cmp.Compare(l.Clients, other.Clients), cmp.Compare(other.Pause, l.Pause))
}

func (l load) String() string {
	pause := "no pause"
	if l.Pause > 0 {
		pause = fmt.Sprintf("pauses of %v", l.Pause)
	}
	return fmt.Sprintf("%d sessions cached, %s, %s", l.Sessions, count(l.Clients, "client"), pause)
}

// duration is how long a measurement takes that takes length without pauses.
func (l load) duration(length time.Duration) time.Duration {
	return max(length, leastCycles*l.Pause)
}

func (l load) warmUp() time.Duration {
	return max(warmUp, min(2*l.Pause, longestWarmUp))
}

// loads are the cases of the options, in an order in which the cache grows.
func (o *Options) loads() (all []load) {
	add := func(l load) {
		if !slices.Contains(all, l) {
			all = append(all, l)
		}
	}
	if o.includes(PartLoad) {
		for _, sessions := range o.Sessions {
			for _, clients := range o.Clients {
				add(load{sessions, clients, 0})
			}
		}
	}
	if o.includes(PartPauses) {
		for _, sessions := range o.PauseSessions {
			for _, pause := range o.Pauses {
				add(load{sessions, 1, pause})
			}
			add(load{sessions, manyClients, manyPause})
		}
	}
	slices.SortFunc(all, load.compare)
	return all
}

// The case of many clients that come in short intervals, as in a mail system
// that is busy.
const (
	manyClients = 20
	manyPause   = 2 * time.Millisecond
)

// load puts the load on both daemons, case by case, in each round on fresh
// ones, and each in turn before the other. System calls are counted at the end
// of the last round, since that makes a daemon slower.
func (r *run) load(ctx context.Context) error {
	for _, l := range r.options.loads() {
		r.report.Load = append(r.report.Load, newCase(l))
	}
	for round := range r.options.Rounds {
		if err := r.loadRound(ctx, round); err != nil {
			return fmt.Errorf("round %d: %w", round+1, err)
		}
	}
	return nil
}

func (r *run) loadRound(ctx context.Context, round int) error {
	most := 0
	for _, c := range r.report.Load {
		most = max(most, c.Clients)
	}
	sessions, err := connect(most)
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
		for _, group := range r.groups(c.load, round) {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := r.measure(ctx, c, group); err != nil {
				return fmt.Errorf("%v, %v: %w", group, c.load, err)
			}
			r.progress.step(time.Duration(len(group)) * (c.duration(r.options.Length) + c.warmUp()))
		}
		if round == r.options.Rounds-1 && c.Pause == 0 {
			for _, s := range r.subjects {
				r.countCalls(c, s)
			}
		}
	}
	return nil
}

// inTurn are the daemons in the order of a round: each is first in every other.
func (r *run) inTurn(round int) []*subject {
	subjects := slices.Clone(r.subjects)
	if round%2 == 1 {
		slices.Reverse(subjects)
	}
	return subjects
}

// groups are the daemons that are measured at the same time, in their order.
func (r *run) groups(l load, round int) (groups [][]*subject) {
	subjects := r.inTurn(round)
	if l.Pause >= together {
		return [][]*subject{subjects}
	}
	for i := range subjects {
		groups = append(groups, subjects[i:i+1])
	}
	return groups
}

// measure takes all figures of a case in one round, of the daemons in a group.
func (r *run) measure(ctx context.Context, c *Case, group []*subject) error {
	for _, s := range group {
		if err := s.fill(c.Sessions); err != nil {
			return err
		}
		if err := s.needClients(ctx, c.Clients); err != nil {
			return err
		}
	}
	if _, err := play(group, c.load, c.warmUp()); err != nil {
		return err
	}
	before, err := consumedBy(group)
	if err != nil {
		return err
	}
	tallies, err := play(group, c.load, c.duration(r.options.Length))
	if err != nil {
		return err
	}
	after, err := consumedBy(group)
	if err != nil {
		return err
	}
	for i, s := range group {
		resident, err := master.ResidentBytes(s.daemon.PID())
		if err != nil {
			return err
		}
		c.add(s, tallies[i], before[i], after[i])
		c.Memory.add(s, float64(resident)/1e6)
	}
	return nil
}

// play puts a load on the daemons of a group, at the same time: they are apart
// by a share of the pause.
func play(group []*subject, l load, length time.Duration) ([]tally, error) {
	begin := monotonic() + headStart
	apart := l.Pause / time.Duration(len(group))
	for i, s := range group {
		if err := command(s.clients[:l.Clients], begin+time.Duration(i)*apart, length, l.Pause); err != nil {
			return nil, err
		}
	}
	tallies := make([]tally, len(group))
	for i, s := range group {
		var err error
		if tallies[i], err = collect(s.clients[:l.Clients], begin+time.Duration(i)*apart); err != nil {
			return nil, err
		}
		if tallies[i].cycles() < l.Clients {
			return nil, fmt.Errorf("%d clients went through %d cycles", l.Clients, tallies[i].cycles())
		}
	}
	return tallies, nil
}

func consumedBy(group []*subject) ([]consumption, error) {
	all := make([]consumption, len(group))
	for i, s := range group {
		var err error
		if all[i], err = consumed(s.daemon.PID()); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// add books what a daemon used for a load.
func (c *Case) add(s *subject, t tally, before, after consumption) {
	cycles := float64(t.cycles())
	slices.Sort(t.latencies)
	c.CPU.add(s, micro(after.cpu-before.cpu)/cycles)
	c.Switches.add(s, float64(after.switches-before.switches)/cycles)
	c.Rate.add(s, cycles/t.took.Seconds())
	c.P50.add(s, micro(quantile(t.latencies, 0.50)))
	c.P99.add(s, micro(quantile(t.latencies, 0.99)))
	c.Max.add(s, micro(t.latencies[len(t.latencies)-1]))
}

// countCalls counts the system calls of a short run, if that is possible here.
func (r *run) countCalls(c *Case, s *subject) {
	if r.noCalls {
		return
	}
	cycles := 0
	calls, err := countCalls(s.daemon.PID(), func() error {
		tallies, err := play([]*subject{s}, c.load, warmUp)
		if err == nil {
			cycles = tallies[0].cycles()
		}
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
func milli(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// quantile is the value that a share q of the sorted values do not exceed.
func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}
