package script

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"scache/compat/wire"
)

// A saved session may be in the cache. Its remote end stays here.
type saved struct {
	*wire.Session
	number     int // in the script
	save, line int
}

// sessions are all that may be in the cache.
type sessions struct {
	byCookie map[uint64]*saved
	byNumber map[int]*saved // the last one of each
	sweepAt  int
}

func newSessions() sessions {
	return sessions{byCookie: make(map[uint64]*saved), byNumber: make(map[int]*saved), sweepAt: 512}
}

// open makes a session. Its local end is to be closed by the caller.
func (s *sessions) open(number int) (*saved, error) {
	if len(s.byCookie) >= s.sweepAt {
		s.sweep()
	}
	pair, err := wire.Pair()
	if err != nil {
		return nil, err
	}
	opened := &saved{Session: pair, number: number}
	s.byCookie[pair.Cookie] = opened
	s.byNumber[number] = opened
	return opened, nil
}

func (s *sessions) forget(old *saved) {
	old.CloseRemote()
	delete(s.byCookie, old.Cookie)
	if s.byNumber[old.number] == old {
		delete(s.byNumber, old.number)
	}
}

// identify tells which session a descriptor is, and that what goes into it
// comes out of the remote end. It takes ownership of the descriptor; the
// session is used up.
func (s *sessions) identify(descriptor int) (*saved, error) {
	defer unix.Close(descriptor)
	cookie, err := wire.Cookie(descriptor)
	if err != nil {
		return nil, err
	}
	found := s.byCookie[cookie]
	if found == nil {
		return nil, errors.New("not saved by this script")
	}
	defer s.forget(found)
	if err := found.Verify(descriptor); err != nil {
		return nil, fmt.Errorf("save_endp %d in line %d: %w", found.save, found.line, err)
	}
	return found, nil
}

// last returns the SMTP session that was saved last under a number, if its remote
// end is open.
func (s *sessions) last(number int) (*saved, error) {
	found := s.byNumber[number]
	if found == nil || found.Remote < 0 {
		return nil, fmt.Errorf("no session %d", number)
	}
	return found, nil
}

func (s *sessions) closeRemote(number int) error {
	found, err := s.last(number)
	if err == nil {
		found.CloseRemote()
	}
	return err
}

func (s *sessions) say(number int, text string) error {
	found, err := s.last(number)
	if err != nil {
		return err
	}
	return found.Say(text)
}

// sweep forgets the sessions that the cache has given up.
func (s *sessions) sweep() {
	for _, old := range s.byCookie {
		if old.Gone() {
			s.forget(old)
		}
	}
	s.sweepAt = max(512, 2*len(s.byCookie))
}

func (s *sessions) close() {
	for _, old := range s.byCookie {
		s.forget(old)
	}
}
