package diff

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// restTime is how long a daemon may take to come to rest, and spinTime is how
// long one is given that is known not to.
const (
	restTime = 30 * time.Second
	spinTime = 500 * time.Millisecond
)

// moment is how long the player sleeps when the daemon is at work and has
// nothing to say.
var moment = unix.Timespec{Nsec: 50_000}

var (
	errBusy = errors.New("does not come to rest")
	errGone = errors.New("has ended")
)

// A player plays one transcript to one daemon.
type player struct {
	target   *Target
	patience time.Duration
	steps    []Step // as they are sent
	label    labeler
	peers    []*peer
	sessions sessions
	held     bool
	exit     string // how the daemon ended, if a step made it end
	blamed   string // the client whose step got the daemon stuck
	stuck    bool
	heard    Answer // at the other end of a session, in a step that reads it
	sure     bool   // it takes more than its priority to believe that the daemon waits
}

func newPlayer(target *Target, steps []Step, label labeler) *player {
	return &player{target: target, patience: restTime, steps: label.steps(steps), label: label}
}

// close hangs up all clients. The daemon has noticed when close returns.
func (p *player) close() error {
	var err error
	for {
		order := p.closingOrder()
		if len(order) == 0 {
			break
		}
		err = errors.Join(err, p.hangUp(order[0]))
	}
	p.sessions.close()
	return err
}

// closingOrder names the clients that are there, in the order in which they came;
// but the one that holds up the others goes first.
func (p *player) closingOrder() (names []string) {
	for _, peer := range p.peers {
		switch {
		case !peer.there():
		case p.stuck && peer.name == p.blamed:
			names = slices.Insert(names, 0, peer.name)
		default:
			names = append(names, peer.name)
		}
	}
	return names
}

// hangUp ends a client, if it is there.
func (p *player) hangUp(name string) error {
	peer := p.peer(name)
	if peer == nil {
		return nil
	}
	peer.HangUp()
	return p.settle(name)
}

func (p *player) peer(name string) *peer {
	for _, peer := range p.peers {
		if peer.name == name && peer.there() {
			return peer
		}
	}
	return nil
}

// blocked tells whether a step is to be left out: its client would have to wait
// for another one.
func (p *player) blocked(i int) bool {
	step := &p.steps[i]
	switch step.Do {
	case Hold, Go, Wait, RemoteSay, RemoteClose, RemoteHear, Terminate, HangUp:
		return false
	case Connect:
		return p.stuck || p.peer(step.Client) != nil
	}
	return p.stuck && p.blamed != step.Client || p.peer(step.Client) == nil
}

// begin takes a step. An error is one of the step, which may be what the daemon
// is to blame for.
func (p *player) begin(i int) error {
	step := &p.steps[i]
	peer := p.peer(step.Client)
	switch step.Do {
	case Connect:
		peer, err := connectPeer(step.Client, p.target.Socket())
		if err == nil {
			p.peers = append(p.peers, peer)
		}
		return err
	case Hold:
		p.held = true
		return p.target.hold()
	case Go:
		return p.release()
	case RemoteSay:
		return p.sessions.say(step.Token, step.Data)
	case RemoteClose:
		return p.sessions.closeRemote(step.Token)
	case RemoteHear:
		var err error
		p.heard, err = p.sessions.hear(step.Token)
		return err
	case Terminate, HangUp:
		p.exit = p.target.end(step.Do)
		return nil
	case Wait:
		return nil
	}
	if peer == nil {
		return errors.New("no such client")
	}
	switch step.Do {
	case Send:
		return p.send(peer, step)
	case Drain:
		return p.drain(peer, step)
	case Find:
		_, err := p.find(peer, step)
		return err
	case Shutdown:
		return peer.Finish()
	case Close:
		peer.HangUp()
		return nil
	}
	return fmt.Errorf("unknown step %q", step.Do)
}

func (p *player) release() error {
	if !p.held {
		return nil
	}
	p.held = false
	return p.target.release()
}

// finish waits until the daemon is done with a step.
func (p *player) finish(i int) (Outcome, error) {
	if err := p.settle(p.steps[i].Client); err != nil {
		return Outcome{}, err
	}
	return p.outcome(i), nil
}

// finishSurely is finish without relying on priorities, and settleSurely is settle.
func (p *player) finishSurely(i int) (Outcome, error) {
	err := p.settleSurely(p.steps[i].Client)
	if err != nil {
		return Outcome{}, err
	}
	return p.outcome(i), nil
}

func (p *player) settleSurely(client string) error {
	p.sure = true
	defer func() { p.sure = false }()
	return p.settle(client)
}

// outcome is what all clients got in a step.
func (p *player) outcome(i int) Outcome {
	outcome := Outcome{Answer: p.heard}
	p.heard = Answer{}
	step := &p.steps[i]
	for _, peer := range p.peers {
		answer := p.label.answer(peer.taken())
		switch {
		case peer.name == step.Client:
			outcome.Answer = join(outcome.Answer, answer)
		case !answer.empty():
			if outcome.Others == nil {
				outcome.Others = make(map[string]Answer)
			}
			outcome.Others[peer.name] = join(outcome.Others[peer.name], answer)
		}
	}
	return outcome
}

// join puts the answers to two clients of the same name together: the second
// came after the first one was closed.
func join(a, b Answer) Answer {
	a.Data = append(a.Data, b.Data...)
	a.Tokens = append(a.Tokens, b.Tokens...)
	a.Changed = append(a.Changed, b.Changed...)
	if b.End != "" {
		a.End = b.End
	}
	return a
}

// settle returns when the daemon waits and everything that it sent is here. The
// client is the one that acted.
func (p *player) settle(client string) error {
	if p.held || p.exit != "" {
		_, err := p.collect()
		return err
	}
	began := time.Now()
	for deadline := began.Add(p.patience); ; {
		state, sure := p.look(client)
		some, err := p.collect()
		switch {
		case err != nil:
			return err
		case some && !sure:
			continue
		case state != busy && p.owed() && time.Since(began) < owedTime:
			// It waits for the time when it may send a descriptor.
		case state != busy:
			if p.stuck = state == stuck; p.stuck && p.blamed == "" {
				p.blamed = client
			} else if !p.stuck {
				p.blamed = ""
			}
			return nil
		case p.target.gone():
			_, err := p.collect()
			return errors.Join(errGone, err)
		case time.Now().After(deadline):
			return errBusy
		}
		if p.target.processor != nil {
			// It may wait for somebody to hear what it has to say.
			if err := p.target.Collect(); err != nil {
				return err
			}
		}
		waitPeers(p.peers, moment)
	}
}

// look tells what the daemon does, and whether it is sure that it had sent all
// that it had to say before that. On a shared processor it is, when it has read
// what the client sent: a program in Go may be at rest for some microseconds when
// it passes work from thread to thread.
func (p *player) look(client string) (state rest, sure bool) {
	target := p.target
	if target.processor == nil || p.sure {
		return target.watch.look(), false
	}
	state = target.watch.lookAtOne()
	if peer := p.peer(client); state == waiting && target.watch.threaded() && peer != nil && !peer.ended && peer.Unread() > 0 {
		return target.watch.look(), false
	}
	return state, state == waiting
}

// owedTime is how long the daemon may take to send a descriptor after the answer
// that says so: a client of the snapshot 20040720 reads the two apart, with nothing
// in between that would tell the daemon when.
const owedTime = time.Second

// owed tells whether a client of the snapshot has been told of a session, and has
// not got its descriptor.
func (p *player) owed() bool {
	return p.target.setup.Dialect == "20040720" && slices.ContainsFunc(p.peers, func(peer *peer) bool {
		found := bytes.Count(peer.answer.Data, []byte("status\x000\x00property\x00"))
		return peer.there() && !peer.ended && found > len(peer.answer.Tokens)
	})
}

func (p *player) collect() (some bool, err error) {
	for _, peer := range p.peers {
		got, err := peer.collect(&p.sessions)
		if err != nil {
			return some, err
		}
		some = some || got
	}
	return some, nil
}

// send sends a message, or the pieces of one. What the daemon says meanwhile is
// taken in, so that neither waits for the other for ever.
func (p *player) send(peer *peer, step *Step) error {
	var fds []int
	for range step.Descriptors {
		session, err := p.sessions.open()
		if err != nil {
			return err
		}
		defer session.CloseLocal()
		fds = append(fds, session.Local)
	}
	for data := step.Data; len(data) > 0; {
		part := data
		if step.Piece > 0 {
			part = data[:min(step.Piece, len(data))]
		}
		if err := p.sendAll(peer, part, fds); err != nil {
			return err
		}
		fds = nil
		if data = data[len(part):]; len(data) > 0 && step.Piece > 0 {
			if err := p.settle(peer.name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *player) sendAll(peer *peer, data []byte, fds []int) error {
	for deadline := time.Now().Add(p.patience); ; {
		n, err := peer.TrySend(string(data), fds...)
		if n > 0 {
			data, fds = data[n:], nil
		}
		if len(data) == 0 {
			return nil
		}
		if err != nil && err != unix.EAGAIN {
			return err
		}
		if some, err := p.collect(); err != nil || !some && time.Now().After(deadline) {
			return errors.Join(err, errBusy)
		}
		if err == unix.EAGAIN {
			waitPeers(nil, moment)
		}
	}
}

var dummy = []byte("dummy\x00\x00\x00")

// drain takes one session after the other, as a client does that keeps to the
// protocol.
func (p *player) drain(peer *peer, step *Step) error {
	for range 1000 {
		if found, err := p.find(peer, step); !found || err != nil {
			return err
		}
	}
	return errors.New("drain: there is no end of sessions")
}

// find asks for a session and takes it, if there is one.
func (p *player) find(peer *peer, step *Step) (found bool, err error) {
	before := len(peer.answer.Data)
	message := step.Data
	for range 1 + dummies(p.target.setup.Dialect) {
		if err := p.sendAll(peer, message, nil); err != nil {
			return false, err
		}
		if err := p.settle(peer.name); err != nil {
			return false, err
		}
		if len(peer.answer.Data) == before && !peer.ended { // there is always an answer
			if err := p.settleSurely(peer.name); err != nil {
				return false, err
			}
		}
		if !bytes.HasPrefix(peer.answer.Data[before:], []byte("status\x000\x00")) {
			return false, nil
		}
		message = dummy
	}
	return true, nil
}
