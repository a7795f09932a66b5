package torture

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"scache/compat/master"
)

// Against carries out the attack on a daemon of this program. An error is
// something that kept it from doing so.
func Against(ctx context.Context, program string, attack Attack, full bool) (*Outcome, error) {
	attacked, spared, err := startTwo(ctx, program, attack)
	if err != nil {
		return nil, err
	}
	defer attacked.Close()
	defer spared.Close()
	b := &beside{attacked: newGoodClient(attacked.Socket(), "good"), spared: newGoodClient(spared.Socket(), "good")}
	defer b.attacked.close()
	defer b.spared.close()
	o := &Outcome{Attack: attack.Name, attack: attack, slack: slack}
	switch {
	case full:
	case attack.Alone:
		o.slack = aloneSlack
	default:
		o.slack = busySlack
	}
	if err := b.warmUp(); err != nil {
		o.Unanswered = fmt.Errorf("before the attack: %w; the log ends:\n%s", err, attacked.Log.Tail(0, 5))
		return o, nil
	}
	a := newArena(ctx, attacked, full)
	defer a.clear()
	before, err := settle(attacked)
	if err != nil {
		return nil, err
	}
	if err := o.strike(a, b); err != nil {
		return nil, err
	}
	if a.stopped > 0 {
		// Good clients wait for that, too, and it is none of the daemon's doing.
		o.slack.Longest += a.stopped
		a.remark("stopped for %v by the attack", a.stopped.Round(time.Millisecond))
	}
	if err := o.recover(a, before); err != nil {
		return nil, err
	}
	o.Remarks, o.Peak = strings.Join(a.remarks, "; "), a.peak
	return o, nil
}

// tries is how often an attack is carried out at most.
const tries = 3

// Fairly is [Against], again if good clients were served but late: the machine
// may have had other things to do.
func Fairly(ctx context.Context, program string, attack Attack, full bool) (o *Outcome, err error) {
	for range tries {
		o, err = Against(ctx, program, attack, full)
		if err != nil || o.Unanswered != nil || o.Unaffected() {
			break
		}
	}
	return o, err
}

// startTwo starts the daemon that is to be attacked, and one that is spared, as
// they would be in production.
func startTwo(ctx context.Context, program string, attack Attack) (attacked, spared *master.Daemon, err error) {
	options := attack.Options
	options.Program, options.Unprivileged, options.Chroot = program, true, true
	if !attack.OwnLog {
		options.Log = master.LogPostlog
	}
	beside := options
	beside.NoDrain = false
	two, err := master.StartAll(ctx, []master.Options{options, beside})
	if err != nil {
		return nil, nil, err
	}
	return two[0], two[1], nil
}

// strike carries out the attack while good clients go on.
func (o *Outcome) strike(a *Arena, b *beside) error {
	ctx, over := context.WithCancel(a.ctx)
	defer over()
	watched := make(chan error, 1)
	if o.attack.Ends || o.attack.Deprives {
		watched <- nil
	} else {
		go func() { watched <- b.watch(ctx, a.size(300, 1000), o.attack.Lasts) }()
	}
	o.Failure = o.attack.Strike(a)
	over()
	err := <-watched
	b.attacked.close()
	o.Unanswered = b.err
	o.Cycles, o.Missed = len(b.attacked.took), b.attacked.missed
	o.Under, o.Beside = timesOf(b.attacked), timesOf(b.spared)
	return err
}

// recover ends the attack, and looks what is left of the daemon.
func (o *Outcome) recover(a *Arena, before vitals) error {
	a.clear()
	if o.attack.Ends {
		o.Survived = o.Failure == nil
		return nil
	}
	o.Failure = errors.Join(o.Failure, servesAgain(a.Daemon))
	after, err := settleTo(a.Daemon, before.descriptors, cmp.Or(o.attack.Settle, defaultSettle))
	if o.Survived = a.alive(); !o.Survived {
		o.Failure = errors.Join(o.Failure, fmt.Errorf("the log ends:\n%s", a.Daemon.Log.Tail(0, 10)))
		return nil
	}
	if err != nil {
		return err
	}
	for _, crash := range []string{"panic: ", "fatal error: ", "DATA RACE"} {
		if lines := a.Daemon.Log.Matching(crash); len(lines) > 0 {
			o.Failure = errors.Join(o.Failure, fmt.Errorf("the log says %q", lines[0].Raw))
		}
	}
	o.Leaked, o.Grown = after.descriptors-before.descriptors, after.memory-before.memory
	if o.attack.After != nil {
		o.Failure = errors.Join(o.Failure, o.attack.After(a))
	}
	return nil
}

// servesAgain makes sure that a new client is served.
func servesAgain(d *master.Daemon) error {
	g := newGoodClient(d.Socket(), "afterwards")
	defer g.close()
	for range 3 * reconnect {
		if err := g.cycle(); err != nil {
			return fmt.Errorf("once the attack was over: %w", err)
		}
	}
	return nil
}
