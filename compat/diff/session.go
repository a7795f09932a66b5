package diff

import (
	"fmt"

	"golang.org/x/sys/unix"

	"scache/compat/wire"
)

// A session is what a client sent. Its local end is blocking or not in turn, so
// that it shows when a daemon changes that.
type session struct {
	*wire.Session
	flags int
}

// sessions are those of one transcript; the first one is number 1.
type sessions []*session

// open makes a session. The caller closes the local end once it is sent.
func (s *sessions) open() (*wire.Session, error) {
	pair, err := wire.Pair()
	if err != nil {
		return nil, err
	}
	opened := &session{Session: pair}
	*s = append(*s, opened)
	err = unix.SetNonblock(pair.Local, len(*s)%2 == 0)
	if err == nil {
		opened.flags, err = unix.FcntlInt(uintptr(pair.Local), unix.F_GETFL, 0)
	}
	if err != nil {
		pair.CloseLocal()
		return nil, fmt.Errorf("set O_NONBLOCK: %w", err)
	}
	return pair, nil
}

// identify returns the number of the SMTP session that a descriptor is, and what is
// not as it was. It takes ownership of the descriptor.
func (s *sessions) identify(fd int) (token int, changed string) {
	defer unix.Close(fd)
	cookie, err := wire.Cookie(fd)
	if err != nil {
		return 0, err.Error()
	}
	for i, known := range *s {
		if known.Cookie != cookie {
			continue
		}
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		if err != nil || flags != known.flags {
			changed = fmt.Sprintf("flags of descriptor %d: %#x, were %#x", i+1, flags, known.flags)
		}
		return i + 1, changed
	}
	return -1, "" // none of ours
}

// remote returns a session whose remote end is open.
func (s *sessions) remote(token int) (*session, error) {
	if token < 1 || token > len(*s) || (*s)[token-1].Remote < 0 {
		return nil, fmt.Errorf("no session %d", token)
	}
	return (*s)[token-1], nil
}

func (s *sessions) say(token int, data []byte) error {
	found, err := s.remote(token)
	if err != nil {
		return err
	}
	return found.Say(string(data))
}

// hear reads what has come to the remote end. It does not wait: what a daemon says
// when it ends has come by then.
func (s *sessions) hear(token int) (heard Answer, err error) {
	found, err := s.remote(token)
	if err != nil {
		return Answer{}, err
	}
	var buffer [512]byte
	for {
		n, _, err := unix.Recvfrom(found.Remote, buffer[:], unix.MSG_DONTWAIT)
		switch {
		case err == unix.EAGAIN:
			return heard, nil
		case err == unix.EINTR:
		case err != nil:
			return heard, fmt.Errorf("read at the remote end: %w", err)
		case n == 0:
			heard.End = EndOfFile
			return heard, nil
		default:
			heard.Data = append(heard.Data, buffer[:n]...)
		}
	}
}

func (s *sessions) closeRemote(token int) error {
	found, err := s.remote(token)
	if err != nil {
		return err
	}
	found.CloseRemote()
	return nil
}

func (s *sessions) close() {
	for _, open := range *s {
		open.CloseRemote()
	}
}
