package diff

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrLate means that the machine was too busy to take the steps of a transcript
// in the seconds to which they belong. Another try may succeed.
var ErrLate = errors.New("steps took longer than the second that they belong to")

// Play plays a transcript to daemons in lockstep, and returns what each of them
// did. A daemon that is not alive afterwards is of no more use. An error is one
// of the comparison itself.
func Play(t *Transcript, targets ...*Target) ([]*Result, error) {
	return play(t, labeler{}, targets)
}

func play(t *Transcript, label labeler, targets []*Target) ([]*Result, error) {
	clock := newClock(t.Steps)
	parts := make([]*part, len(targets))
	for i, target := range targets {
		var err error
		if parts[i], err = newPart(target, t.Steps, label); err != nil {
			return nil, err
		}
		if t.Better == "spin" {
			parts[i].player.patience = spinTime
		}
	}
	for i, step := range t.Steps {
		if t.Better == "" && slices.ContainsFunc(parts, func(p *part) bool { return p.player.blocked(i) }) {
			for _, p := range parts {
				p.result.Outcomes = append(p.result.Outcomes, Outcome{Skipped: true})
			}
			continue
		}
		if step.Do == Wait {
			clock.wait(step.Seconds)
		}
		for _, p := range parts {
			p.begin(i)
		}
		for _, p := range parts {
			p.finish(i)
		}
		if t.Better == "" {
			endAlike(parts)
		}
		if clock.late() {
			return nil, ErrLate
		}
	}
	closeAll(parts)
	results := make([]*Result, len(parts))
	for i, p := range parts {
		left := 0
		if i > 0 {
			left = results[0].Left
		} else if t.Recorded != nil {
			left = t.Recorded.Left
		}
		if err := p.end(left); err != nil {
			return nil, fmt.Errorf("%s: %w", targets[i].Name, err)
		}
		results[i] = p.result
	}
	return results, nil
}

// endAlike hangs up a client on all daemons when one of them has ended its
// connection and another one has not: what it does from then on would make all
// else differ.
func endAlike(parts []*part) {
	for _, p := range parts {
		for _, peer := range slices.Clone(p.player.peers) {
			if !peer.there() || !peer.ended || !slices.ContainsFunc(parts, func(other *part) bool { return other.serves(peer.name) }) {
				continue
			}
			for _, other := range parts {
				other.do(func() error { return other.player.hangUp(peer.name) })
			}
		}
	}
}

// serves tells whether the daemon has left a client connected.
func (p *part) serves(name string) bool {
	peer := p.player.peer(name)
	return p.dead == nil && peer != nil && !peer.ended
}

// closeAll hangs up all clients, in the same order everywhere.
func closeAll(parts []*part) {
	for _, p := range parts {
		p.do(p.player.release)
		p.do(func() error { return p.player.settle("") })
	}
	for {
		// The first of the daemons is the one that clients can hold up.
		i := slices.IndexFunc(parts, func(p *part) bool { return p.dead == nil && len(p.player.closingOrder()) > 0 })
		if i < 0 {
			return
		}
		name := parts[i].player.closingOrder()[0]
		for _, p := range parts {
			p.do(func() error { return p.player.hangUp(name) })
		}
	}
}

// A part is one daemon's in a transcript.
type part struct {
	player      *player
	result      *Result
	descriptors int   // before
	dead        error // why there is no going on
	failed      error // of the step at hand
}

func newPart(target *Target, steps []Step, label labeler) (*part, error) {
	n, err := openDescriptors(target.PID())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", target.Name, err)
	}
	return &part{player: newPlayer(target, steps, label), result: new(Result), descriptors: n}, nil
}

// do does something that the daemon has to outlive.
func (p *part) do(something func() error) {
	if p.dead == nil {
		p.dead = something()
	}
}

func (p *part) begin(i int) {
	if p.failed = p.dead; p.dead == nil {
		p.failed = p.player.begin(i)
	}
}

func (p *part) finish(i int) {
	var outcome Outcome
	if p.dead == nil {
		outcome, p.dead = p.player.finish(i)
	}
	if p.failed == nil {
		p.failed = p.dead
	}
	if p.failed != nil {
		outcome.Failed = p.failed.Error()
	}
	p.result.Outcomes = append(p.result.Outcomes, outcome)
}

// end completes the result when all steps are taken. It waits a little for a
// daemon that has more descriptors than left to close the rest.
func (p *part) end(left int) error {
	target, result := p.player.target, p.result
	p.do(p.player.close)
	if p.player.exit != "" || p.dead != nil {
		if result.Exit = p.player.exit; errors.Is(p.dead, errBusy) {
			result.Exit = errBusy.Error()
			target.Kill()
		}
		if how := target.ended(); result.Exit == "" {
			result.Exit = how
		}
		result.Log = p.normal(target.texts())
		return nil
	}
	n, err := target.settledDescriptors(p.descriptors + left)
	if err != nil {
		return err
	}
	result.Left = n - p.descriptors
	lines, status, err := target.probe()
	if err != nil {
		result.Exit = err.Error()
		result.Log = p.normal(target.texts())
		return nil
	}
	result.Log, result.Status, result.Alive = p.normal(lines), status, true
	return nil
}

func (p *part) normal(lines []string) []string {
	replaced := make([]string, len(lines))
	for i, line := range lines {
		replaced[i] = p.player.label.line(line)
	}
	return normalize(replaced)
}

// A clock keeps the steps of a transcript that has waits in it in the second
// where they belong, and away from its ends: time(2) may lag behind by a tick.
type clock struct {
	used   bool
	second int64
}

const margin = 60 * time.Millisecond

func newClock(steps []Step) *clock {
	c := new(clock)
	for _, step := range steps {
		c.used = c.used || step.Do == Wait
	}
	if now := time.Now(); c.used {
		c.second = now.Unix()
		if part := time.Duration(now.Nanosecond()); part < margin || part > time.Second/2 {
			c.wait(1)
		}
	}
	return c
}

// wait lets that many seconds begin.
func (c *clock) wait(seconds int) {
	c.second = time.Now().Unix() + int64(seconds)
	time.Sleep(time.Until(time.Unix(c.second, int64(margin))))
}

func (c *clock) late() bool {
	return c.used && time.Since(time.Unix(c.second, 0)) > time.Second-margin
}
