package wire

import (
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// tokenPatience is how long a token may take through a session.
const tokenPatience = 5 * time.Second

// A Session is a connection with both ends in this process: the local end goes
// into the cache, the remote end stays, and proves that what comes out of the
// cache is the same session. Both are non-blocking and owned; -1 is an end that
// is closed.
type Session struct {
	Local, Remote int
	// Cookie tells the local end from all other sockets, for ever.
	Cookie uint64
	tcp    bool
}

// Pair returns a UNIX-domain session, as with TLS connection reuse.
func Pair() (*Session, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("socketpair: %w", err)
	}
	return newSession(pair[0], pair[1])
}

// newSession takes ownership of both ends.
func newSession(local, remote int) (*Session, error) {
	s := &Session{Local: local, Remote: remote}
	var err error
	if s.Cookie, err = Cookie(local); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Cookie returns the number that tells a socket from all others.
func Cookie(fd int) (uint64, error) {
	cookie, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_COOKIE)
	if err != nil {
		return 0, fmt.Errorf("getsockopt SO_COOKIE: %w", err)
	}
	return cookie, nil
}

func closeEnd(fd *int) {
	if *fd >= 0 {
		unix.Close(*fd)
		*fd = -1
	}
}

// CloseLocal closes the local end: from then on only the cache has it.
func (s *Session) CloseLocal() { closeEnd(&s.Local) }

// CloseRemote makes the remote end hang up. The local end knows when it returns,
// even if some process that is being started has the remote end, too.
func (s *Session) CloseRemote() {
	switch {
	case s.Remote < 0:
		return
	case s.tcp:
		unix.Shutdown(s.Remote, unix.SHUT_WR)
		s.wait(s.hungUp)
	default:
		unix.Shutdown(s.Remote, unix.SHUT_RDWR)
	}
	closeEnd(&s.Remote)
}

// Close closes both ends.
func (s *Session) Close() {
	s.CloseLocal()
	s.CloseRemote()
}

// Say sends text from the remote end, and descriptors, which it borrows, with the
// first byte of it. The local end has all of it when it returns.
func (s *Session) Say(text string, fds ...int) error {
	if err := unix.Sendmsg(s.Remote, []byte(text), Rights(fds...), nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT); err != nil {
		return fmt.Errorf("send from remote end: %w", err)
	}
	if s.tcp {
		s.wait(s.acknowledged)
	}
	return nil
}

// Gone tells whether the local end is closed everywhere: the cache has given it
// up.
func (s *Session) Gone() bool {
	return waitFor(s.Remote, unix.POLLRDHUP, 0)&(unix.POLLHUP|unix.POLLRDHUP) != 0 // -1 is never ready
}

// Verify checks that a descriptor, which it borrows, is this one's local
// end, and that what goes in there comes out of the remote end, if that has not
// hung up.
func (s *Session) Verify(descriptor int) error {
	cookie, err := Cookie(descriptor)
	if err != nil {
		return err
	}
	if cookie != s.Cookie {
		return errors.New("another socket")
	}
	if s.Remote < 0 {
		return nil
	}
	token := rand.Text()
	if err := unix.Sendto(descriptor, []byte(token), unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT, nil); err != nil {
		return fmt.Errorf("send token: %w", err)
	}
	return s.expect(token)
}

// expect reads a short text from the remote end, and nothing but that.
func (s *Session) expect(text string) error {
	if waitFor(s.Remote, unix.POLLIN, tokenPatience) == 0 {
		return errors.New("the token did not come through")
	}
	buf := make([]byte, len(text)+1)
	n, err := unix.Read(s.Remote, buf)
	switch {
	case err == unix.EINTR || err == unix.EAGAIN:
		return s.expect(text)
	case err != nil:
		return fmt.Errorf("read token: %w", err)
	case string(buf[:n]) != text:
		return fmt.Errorf("read %q, want the token %q", buf[:n], text)
	}
	return nil
}
