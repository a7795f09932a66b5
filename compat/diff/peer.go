package diff

import (
	"bytes"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"scache/compat/wire"
)

// A peer is a client of a daemon.
type peer struct {
	*wire.Client
	name   string
	ended  bool // the daemon has ended the connection
	answer Answer
}

func connectPeer(name, path string) (*peer, error) {
	c, err := wire.Dial(path, restTime)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &peer{Client: c, name: name}, nil
}

// there tells whether the client is still connected, as far as it is concerned.
func (p *peer) there() bool { return p.FD() >= 0 }

// collect adds what has arrived to the client's answer, and tells whether
// anything has.
func (p *peer) collect(sessions *sessions) (some bool, err error) {
	if !p.there() || p.ended {
		return false, nil
	}
	data, fds, ended, err := p.Arrived()
	p.answer.Data = append(p.answer.Data, data...)
	for _, fd := range fds {
		token, changed := sessions.identify(fd)
		p.answer.Tokens = append(p.answer.Tokens, token)
		if changed != "" {
			p.answer.Changed = append(p.answer.Changed, changed)
		}
	}
	if ended {
		p.answer.End, p.ended = EndOfFile, true
	}
	return ended || len(data) > 0, err
}

// taken is the answer since the last call.
func (p *peer) taken() Answer {
	answer := p.answer
	p.answer = Answer{}
	answer.Data = bytes.Clone(answer.Data)
	return answer
}

// waitPeers returns when one of the clients has something, or after a moment.
func waitPeers(peers []*peer, moment unix.Timespec) {
	var polls []unix.PollFd
	for _, p := range peers {
		if p.there() && !p.ended {
			polls = append(polls, unix.PollFd{Fd: int32(p.FD()), Events: unix.POLLIN})
		}
	}
	unix.Ppoll(slices.Clip(polls), &moment, nil)
}
