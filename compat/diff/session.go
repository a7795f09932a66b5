package diff

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// A session is a descriptor that a client sent: one end of a socket pair. The
// other end stays here. Every other one is non-blocking, so that it shows when
// a daemon changes that.
type session struct {
	inode  uint64
	flags  int
	remote int // owned; -1 once it is closed
}

// sessions are those of one transcript; the first one is number 1.
type sessions []*session

// open makes a session and returns the end that is to be sent, which the caller
// closes.
func (s *sessions) open() (local int, err error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("socketpair: %w", err)
	}
	new := &session{remote: pair[1]}
	*s = append(*s, new)
	if err := new.prepare(pair[0], len(*s)%2 == 0); err != nil {
		unix.Close(pair[0])
		return -1, err
	}
	return pair[0], nil
}

func (s *session) prepare(local int, nonblock bool) error {
	if err := unix.SetNonblock(local, nonblock); err != nil {
		return fmt.Errorf("set O_NONBLOCK: %w", err)
	}
	var stat unix.Stat_t
	if err := unix.Fstat(local, &stat); err != nil {
		return fmt.Errorf("fstat: %w", err)
	}
	s.inode = stat.Ino
	var err error
	if s.flags, err = unix.FcntlInt(uintptr(local), unix.F_GETFL, 0); err != nil {
		return fmt.Errorf("F_GETFL: %w", err)
	}
	return nil
}

// identify returns the number of the SMTP session that a descriptor is, and what is
// not as it was. It takes ownership of the descriptor.
func (s *sessions) identify(fd int) (token int, changed string) {
	defer unix.Close(fd)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return 0, "fstat: " + err.Error()
	}
	for i, known := range *s {
		if known.inode != stat.Ino {
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

// remote returns the other end of a session, borrowed.
func (s *sessions) remote(token int) (int, error) {
	if token < 1 || token > len(*s) || (*s)[token-1].remote < 0 {
		return -1, fmt.Errorf("no session %d", token)
	}
	return (*s)[token-1].remote, nil
}

func (s *sessions) say(token int, data []byte) error {
	fd, err := s.remote(token)
	if err != nil {
		return err
	}
	return unix.Sendto(fd, data, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT, nil)
}

func (s *sessions) closeRemote(token int) error {
	fd, err := s.remote(token)
	if err != nil {
		return err
	}
	(*s)[token-1].remote = -1
	return closeNow(fd)
}

func (s *sessions) close() {
	for i := range *s {
		s.closeRemote(i + 1)
	}
}
