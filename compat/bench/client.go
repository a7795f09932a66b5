package bench

import (
	"bytes"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// patience is how long a client waits for an answer.
const patience = 20 // seconds

// A client is a connection to a daemon that goes through conversations. It
// makes system calls without telling the scheduler of Go, which makes them as
// cheap as a C program's: while it waits it keeps its thread and its processor.
type client struct {
	fd      int // owned
	session int // borrowed: what is saved in the cache
	got     int // bytes of an answer that are there
	fresh   int // owned: the descriptor that came with it, -1 for none

	begun time.Time // the request that is under way
	// latencies are how long each request took, as far as there is room: it is
	// never made larger.
	latencies []time.Duration

	in      [1024]byte
	control struct {
		header unix.Cmsghdr
		fd     int32
		_      int32
	}
	iov    unix.Iovec
	header unix.Msghdr
}

// newClient takes ownership of a blocking socket, whatever the result, and
// waits for the greeting.
func newClient(fd, session int) (*client, error) {
	c := &client{fd: fd, session: session, fresh: -1}
	timeout := unix.Timeval{Sec: patience}
	err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout)
	if err != nil {
		err = fmt.Errorf("set timeout: %w", err)
	} else {
		err = c.play([]step{{name: "greeting", expect: greeting}})
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *client) close() {
	if c.fresh >= 0 {
		unix.Close(c.fresh)
	}
	unix.Close(c.fd)
}

// repeat goes through a conversation once and then until the end, with a pause
// after each time, and notes how long each request took. A conversation or a
// pause that has begun is finished: what a daemon does once it is left alone
// belongs to the cost of having asked it.
func (c *client) repeat(steps []step, begin, end time.Time, pause time.Duration) error {
	sleep(time.Until(begin))
	for {
		if err := c.play(steps); err != nil {
			return err
		}
		sleep(pause)
		if !time.Now().Before(end) {
			return nil
		}
	}
}

// play goes through a conversation once.
func (c *client) play(steps []step) error {
	c.begun = time.Now()
	for i := range steps {
		s := &steps[i]
		if err := c.send(s); err != nil {
			return fmt.Errorf("%s: send: %w", s.name, err)
		}
		for complete := len(s.expect) == 0; !complete; {
			var err error
			if complete, err = c.receive(s); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
		if s.answered {
			c.note()
		}
	}
	return nil
}

// note notes that a request is done and the next one begins.
func (c *client) note() {
	now := time.Now()
	if len(c.latencies) < cap(c.latencies) {
		c.latencies = append(c.latencies, now.Sub(c.begun))
	}
	c.begun = now
}

// send sends what a step says, if anything. There is room for all of it: the
// daemon has read what came before.
func (c *client) send(s *step) error {
	if len(s.send) == 0 {
		return nil
	}
	c.got = 0
	c.prepare(s.send, 0)
	if s.pass {
		rights := &c.control
		rights.header.Level, rights.header.Type = unix.SOL_SOCKET, unix.SCM_RIGHTS
		rights.header.SetLen(unix.SizeofCmsghdr + 4)
		rights.fd = int32(c.session)
		c.header.SetControllen(int(unsafe.Sizeof(*rights)))
	}
	for {
		n, _, errno := unix.RawSyscall(unix.SYS_SENDMSG, uintptr(c.fd), uintptr(unsafe.Pointer(&c.header)), unix.MSG_NOSIGNAL)
		switch {
		case errno == unix.EINTR:
		case errno != 0:
			return errno
		case int(n) < len(s.send):
			return fmt.Errorf("%d of %d bytes", n, len(s.send))
		default:
			return nil
		}
	}
}

// receive waits for an answer or a part of it, and reports whether it is there.
func (c *client) receive(s *step) (complete bool, err error) {
	n, err := c.read()
	if err != nil {
		return false, fmt.Errorf("receive: %w", err)
	}
	c.got += n
	if n == 0 || c.got > len(s.expect) || !bytes.Equal(c.in[:c.got], s.expect[:c.got]) {
		return false, fmt.Errorf("the answer is %q, not %q", c.in[:c.got], s.expect)
	}
	if c.got < len(s.expect) {
		return false, nil
	}
	if s.take != (c.fresh >= 0) {
		return false, fmt.Errorf("descriptor in the answer: %v, want %v", c.fresh >= 0, s.take)
	}
	if c.fresh >= 0 {
		unix.RawSyscall(unix.SYS_CLOSE, uintptr(c.fresh), 0, 0)
		c.fresh = -1
	}
	return true, nil
}

func (c *client) read() (int, error) {
	for {
		c.prepare(c.in[c.got:], int(unsafe.Sizeof(c.control)))
		n, _, errno := unix.RawSyscall(unix.SYS_RECVMSG, uintptr(c.fd), uintptr(unsafe.Pointer(&c.header)), unix.MSG_CMSG_CLOEXEC)
		switch {
		case errno == unix.EINTR:
		case errno == unix.EAGAIN:
			return 0, fmt.Errorf("nothing within %d seconds", patience)
		case errno != 0:
			return 0, errno
		default:
			if c.header.Controllen >= unix.SizeofCmsghdr+4 && c.fresh < 0 {
				c.fresh = int(c.control.fd)
			}
			return int(n), nil
		}
	}
}

// prepare makes a message of bytes, and of room for a descriptor.
func (c *client) prepare(p []byte, control int) {
	c.iov.Base = unsafe.SliceData(p)
	c.iov.SetLen(len(p))
	c.header = unix.Msghdr{Iov: &c.iov, Control: (*byte)(unsafe.Pointer(&c.control))}
	c.header.SetIovlen(1)
	c.header.SetControllen(control)
}

// sleep waits like the client's other system calls, without the scheduler.
func sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	left := unix.NsecToTimespec(int64(d))
	for {
		_, _, errno := unix.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&left)), uintptr(unsafe.Pointer(&left)), 0)
		if errno != unix.EINTR {
			return
		}
	}
}
