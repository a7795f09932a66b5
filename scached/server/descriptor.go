package server

import (
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// live tells whether a session is fit to be handed out: nothing has come from
// its remote end since it was saved. An SMTP server that says something unasked
// for ends the session (421), as does one that closes the connection. It
// borrows the descriptor, does not wait, and leaves the bytes where they are.
// What is not a connected socket is none of our business.
func live(fd int) bool {
	var b byte
	_, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&b)), 1,
		unix.MSG_PEEK|unix.MSG_DONTWAIT, 0, 0)
	switch errno {
	case unix.EAGAIN, unix.EINTR, unix.ENOTSOCK, unix.ENOTCONN, unix.EINVAL, unix.EOPNOTSUPP:
		return true
	}
	return false
}

// closers is how many closes may be stuck before others have to wait for them.
const closers = 8

// A closer closes descriptors of clients without being held up by them. To
// close one can take as long as its owner likes: a socket with SO_LINGER set, a
// file on a file system that somebody else serves. Those are closed in the
// background.
type closer struct {
	open atomic.Int64 // descriptors of sessions that are not closed yet

	mu      sync.Mutex
	waiting []int
	running int
}

// close takes ownership of the descriptor.
func (c *closer) close(fd int) {
	if !closesAtOnce(fd) {
		c.later(fd)
		return
	}
	unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0)
	c.open.Add(-1)
}

func (c *closer) later(fd int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting = append(c.waiting, fd)
	if c.running < closers {
		c.running++
		go c.work()
	}
}

func (c *closer) work() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.waiting) > 0 {
		fd := c.waiting[len(c.waiting)-1]
		c.waiting = c.waiting[:len(c.waiting)-1]
		c.mu.Unlock()
		unix.Close(fd)
		c.open.Add(-1)
		c.mu.Lock()
	}
	c.running--
}

// closesAtOnce tells whether a close cannot block: a socket that does not
// linger.
func closesAtOnce(fd int) bool {
	var linger unix.Linger
	size := uint32(unix.SizeofLinger)
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_LINGER,
		uintptr(unsafe.Pointer(&linger)), uintptr(unsafe.Pointer(&size)), 0)
	return errno == 0 && (linger.Onoff == 0 || linger.Linger == 0)
}

// reason is an error as strerror(3) puts it.
func reason(err error) string {
	text := err.Error()
	if err == unix.EAGAIN {
		text = "resource temporarily unavailable"
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// capacity is how many descriptors clients and sessions may have between them:
// what the process may open, less what it has and a reserve, out of which
// surplus descriptors of a message, log sockets and the like are served.
func capacity() (int, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, err
	}
	if limit.Cur < limit.Max {
		raised := unix.Rlimit{Cur: limit.Max, Max: limit.Max}
		if unix.Setrlimit(unix.RLIMIT_NOFILE, &raised) == nil {
			limit.Cur = limit.Max
		}
	}
	const most = 1 << 20
	total := int(min(limit.Cur, most))
	lowest, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 0) // the number of those in use, more or less
	if err != nil {
		return 0, err
	}
	unix.Close(lowest)
	reserve := max(8, min(total/16, 64))
	return max(total-lowest-reserve, 4), nil
}
