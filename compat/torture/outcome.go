package torture

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"scache/compat"
)

// An Outcome is what an attack did.
type Outcome struct {
	Attack   string
	Survived bool // it served clients afterwards, or ended as it should
	// Beside and Under are what a good client's cycle took, with the daemon that
	// was spared and with the one that was attacked.
	Beside, Under Times
	Cycles        int   // of the good client of the attacked daemon
	Missed        int   // cycles in which its session had been given up
	Unanswered    error // why a good client got no service during the attack
	Leaked        int   // descriptors more than before, once everybody has gone
	Grown         int64 // bytes of memory more than before
	Failure       error // something else that should not have happened
	Remarks       string

	attack Attack
	slack  time.Duration
}

// Passed tells whether the daemon is none the worse for the attack.
func (o *Outcome) Passed() bool {
	return o.Why() == ""
}

// Times are percentiles of what a cycle took.
type Times struct{ Median, P99 time.Duration }

func timesOf(g *goodClient) Times {
	return Times{percentile(g.took, 50), percentile(g.took, 99)}
}

// What an operating system with other things to do may add to any cycle, to
// the median and to the rest.
const (
	medianSlack = 500 * time.Microsecond
	slack       = 5 * time.Millisecond
	busySlack   = 100 * time.Millisecond // with other attacks at the same time
)

// Unaffected tells whether good clients were served, within twice the time that
// it takes without the attack.
func (o *Outcome) Unaffected() bool {
	if o.Unanswered != nil || o.Missed > 0 && !o.attack.GivesUp {
		return false
	}
	return o.attack.Greedy ||
		o.Under.Median <= 2*o.Beside.Median+medianSlack && o.Under.P99 <= 2*o.Beside.P99+o.slack
}

const (
	// warmUp is how many cycles it takes until the daemon has the memory that
	// it needs.
	warmUp = 200
	// enough is how many cycles a percentile is taken of, at least.
	enough = 300
)

// Against carries out the attack on a daemon of this program. An error is
// something that kept it from doing so.
func Against(ctx context.Context, program string, attack Attack, full bool) (*Outcome, error) {
	options := attack.Options
	options.Program, options.Unprivileged, options.Chroot = program, true, true
	if !attack.OwnLog {
		options.Log = compat.LogPostlog
	}
	spared := options
	spared.NoDrain = false
	daemons, err := compat.StartAll(ctx, []compat.Options{options, spared})
	if err != nil {
		return nil, err
	}
	for _, d := range daemons {
		defer d.Close()
	}
	b := &beside{attacked: newGoodClient(daemons[0].Socket(), "good"), spared: newGoodClient(daemons[1].Socket(), "good")}
	defer b.attacked.close()
	defer b.spared.close()
	o := &Outcome{Attack: attack.Name, attack: attack, slack: slack}
	if !full {
		o.slack = busySlack
	}
	for range warmUp {
		if err := errors.Join(b.attacked.cycle(), b.spared.cycle()); err != nil {
			o.Unanswered = fmt.Errorf("before the attack: %w; the log ends:\n%s", err, daemons[0].Log.Tail(0, 5))
			return o, nil
		}
	}
	b.attacked.close()
	a := newArena(ctx, daemons[0], full)
	defer a.clear()
	before, err := settle(a.Daemon)
	if err != nil {
		return nil, err
	}
	if err := o.strike(ctx, a, b, attack); err != nil {
		return nil, err
	}
	if err := o.recover(a, attack, before); err != nil {
		return nil, err
	}
	o.Remarks = strings.Join(a.remarks, "; ")
	return o, nil
}

// strike carries out the attack while good clients go on.
func (o *Outcome) strike(ctx context.Context, a *Arena, b *beside, attack Attack) error {
	b.attacked.took, b.spared.took = nil, nil
	ctx, over := context.WithCancel(ctx)
	watched := make(chan error, 1)
	if attack.Ends || attack.Deprives {
		watched <- nil
	} else {
		go func() { watched <- b.watch(ctx, enough) }()
	}
	o.Failure = attack.Strike(a)
	over()
	err := <-watched
	b.attacked.close()
	o.Unanswered = b.err
	o.Cycles, o.Missed = len(b.attacked.took), b.attacked.missed
	o.Under, o.Beside = timesOf(b.attacked), timesOf(b.spared)
	return err
}

// recover ends the attack, and looks what is left of the daemon.
func (o *Outcome) recover(a *Arena, attack Attack, before vitals) error {
	a.clear()
	if attack.Ends {
		o.Survived = o.Failure == nil
		return nil
	}
	if o.Survived = a.alive(); !o.Survived {
		return nil
	}
	g := newGoodClient(a.Daemon.Socket(), "afterwards")
	for range reconnect * 3 {
		if err := g.cycle(); err != nil {
			o.Failure = errors.Join(o.Failure, fmt.Errorf("once the attack was over: %w", err))
			break
		}
	}
	g.close()
	after, err := settleTo(a.Daemon, before.descriptors)
	if err != nil {
		return err
	}
	o.Leaked, o.Grown = after.descriptors-before.descriptors, after.memory-before.memory
	if attack.After != nil {
		o.Failure = errors.Join(o.Failure, attack.After(a))
	}
	o.Survived = a.alive()
	return nil
}

// vitals are what a daemon has of what the system gives.
type vitals struct {
	descriptors int
	memory      int64 // resident, in bytes
}

func measure(d *compat.Daemon) (v vitals, err error) {
	links, err := d.Descriptors()
	if err != nil {
		return v, err
	}
	v.descriptors = len(links)
	v.memory, err = compat.ResidentBytes(d.PID())
	return v, err
}

// settleTime is how long a daemon has to give up what it cached, at a ttl of
// two seconds, and what it does in the background.
const settleTime = 6 * time.Second

// settle measures a daemon that nobody is connected to and that caches no
// session, once it has closed what it does not need.
func settle(d *compat.Daemon) (vitals, error) {
	const still = 150 * time.Millisecond
	last, err := measure(d)
	since := time.Now()
	for deadline := since.Add(2 * settleTime); err == nil && time.Since(since) < still && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
		var now vitals
		if now, err = measure(d); now.descriptors != last.descriptors {
			since = time.Now()
		}
		last = now
	}
	return last, err
}

// settleTo measures a daemon as soon as it has no more than so many descriptors.
func settleTo(d *compat.Daemon, descriptors int) (v vitals, err error) {
	eventually(settleTime, func() bool {
		v, err = measure(d)
		return err != nil || v.descriptors <= descriptors
	})
	return v, err
}
