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
	p, err := newPlaying(t, label, targets)
	if err != nil {
		return nil, err
	}
	for !p.over() {
		time.Sleep(time.Until(p.due))
		if err := p.turn(); err != nil {
			return nil, err
		}
	}
	return p.results()
}

// A playing is a transcript that is being played, turn by turn: a turn ends with
// a wait, or with the transcript.
type playing struct {
	transcript *Transcript
	clock      *clock
	parts      []*part
	next       int       // step
	waited     bool      // for the next step, which is a wait
	due        time.Time // of the next turn; in the past if that may be taken at once
}

func newPlaying(t *Transcript, label labeler, targets []*Target) (*playing, error) {
	p := &playing{transcript: t, clock: newClock(t.Steps)}
	p.due = p.clock.due
	for _, target := range targets {
		part, err := newPart(target, t.Steps, label)
		if err != nil {
			return nil, err
		}
		if t.Better == "spin" {
			part.player.patience = spinTime
		}
		p.parts = append(p.parts, part)
	}
	return p, nil
}

func (p *playing) over() bool { return p.next == len(p.transcript.Steps) }

// turn takes steps up to the next wait, or to the end. It is late if that was not
// within the second to which they belong.
func (p *playing) turn() error {
	for ; !p.over(); p.next++ {
		step := p.transcript.Steps[p.next]
		if step.Do == Wait && !p.waited {
			p.due = p.clock.wait(step.Seconds)
			p.waited = true
			return nil
		}
		p.waited = false
		p.step(p.next)
		if p.clock.late() {
			return ErrLate
		}
	}
	return nil
}

// collectEvery is after how many steps at most is read what daemons on a shared
// processor tell their master. The channel has room for some 280 records, and ours
// leaves out what finds none.
const collectEvery = 8

func (p *playing) step(i int) {
	alike := p.transcript.Better == ""
	if alike && slices.ContainsFunc(p.parts, func(p *part) bool { return p.player.blocked(i) }) {
		for _, p := range p.parts {
			p.result.Outcomes = append(p.result.Outcomes, Outcome{Skipped: true})
		}
		return
	}
	for _, p := range p.parts {
		p.begin(i)
	}
	for _, p := range p.parts {
		p.finish(i)
		if i%collectEvery == 0 {
			p.do(p.player.target.collectAll)
		}
	}
	first := p.parts[0].result
	if slices.ContainsFunc(p.parts[1:], func(p *part) bool { return !sameOutcome(outcomeAt(first, i), outcomeAt(p.result, i)) }) {
		for _, p := range p.parts {
			p.lookCloser(i)
		}
	}
	if alike {
		endAlike(p.parts)
	}
}

// results ends all clients, and returns what each daemon did.
func (p *playing) results() ([]*Result, error) {
	closeAll(p.parts)
	results := make([]*Result, len(p.parts))
	for i, part := range p.parts {
		left := 0
		if i > 0 {
			left = results[0].Left
		} else if p.transcript.Recorded != nil {
			left = p.transcript.Recorded.Left
		}
		if err := part.end(left); err != nil {
			return nil, fmt.Errorf("%s: %w", part.player.target.Name, err)
		}
		results[i] = part.result
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

// lookCloser adds to the outcome of a step what comes when it is made sure that the
// daemon waits, if only its priority was relied on before.
func (p *part) lookCloser(i int) {
	if p.dead != nil || p.failed != nil || p.player.target.processor == nil {
		return
	}
	more, err := p.player.finishSurely(i)
	p.dead = err
	outcome := &p.result.Outcomes[i]
	outcome.Answer = join(outcome.Answer, more.Answer)
	for client, answer := range more.Others {
		if outcome.Others == nil {
			outcome.Others = make(map[string]Answer)
		}
		outcome.Others[client] = join(outcome.Others[client], answer)
	}
	if err != nil {
		outcome.Failed = err.Error()
	}
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
	lines, status, err := target.news()
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
	due    time.Time // of the first step
}

const margin = 60 * time.Millisecond

func newClock(steps []Step) *clock {
	c := new(clock)
	for _, step := range steps {
		c.used = c.used || step.Do == Wait
	}
	if now := time.Now(); c.used {
		c.second, c.due = now.Unix(), now
		if part := time.Duration(now.Nanosecond()); part < margin || part > time.Second/2 {
			c.due = c.wait(1)
		}
	}
	return c
}

// wait returns when that many seconds have begun.
func (c *clock) wait(seconds int) time.Time {
	c.second = time.Now().Unix() + int64(seconds)
	return time.Unix(c.second, int64(margin))
}

func (c *clock) late() bool {
	return c.used && time.Since(time.Unix(c.second, 0)) > time.Second-margin
}
