package bench

import (
	"bytes"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// patience is how long a client waits for an answer.
const patience = 20 // seconds

// A client is a connection to a daemon that goes through a conversation again
// and again. It makes system calls without telling the scheduler of Go, which
// makes them as cheap as a C program's: while it waits it keeps its thread and
// its processor, see [generate].
type client struct {
	fd      int // owned
	session int // borrowed: what is saved in the cache
	steps   []step
	at      int // the step whose answer is awaited
	got     int // bytes of it that are there
	fresh   int // owned: the descriptor that came with it, -1 for none

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

// play goes through a conversation once.
func (c *client) play(steps []step) error {
	c.steps = steps
	for done := c.start(); !done; {
		if err := c.send(); err != nil {
			return err
		}
		for received := false; !received; {
			var err error
			if received, err = c.receive(0); err != nil {
				return err
			}
		}
		done = c.next()
	}
	return nil
}

// start begins the conversation. It reports true if there is nothing to it.
func (c *client) start() (done bool) {
	c.at = 0
	return len(c.steps) == 0
}

// next goes on to the next step. It reports true if that was the last one.
func (c *client) next() (done bool) {
	c.at++
	return c.at == len(c.steps)
}

// send sends what the client has to say until it is to be answered.
func (c *client) send() error {
	for ; ; c.at++ {
		s := &c.steps[c.at]
		if err := c.transmit(s); err != nil {
			return fmt.Errorf("%s: send: %w", s.name, err)
		}
		if len(s.expect) > 0 {
			c.got = 0
			return nil
		}
	}
}

// transmit sends what a step says, if anything. There is room for all of it:
// the daemon has read what came before.
func (c *client) transmit(s *step) error {
	if len(s.send) == 0 {
		return nil
	}
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

// receive takes what there is of an answer, and reports whether that is all of
// it. It waits unless the flags tell it not to.
func (c *client) receive(flags int) (complete bool, err error) {
	s := &c.steps[c.at]
	n, err := c.read(flags)
	if err == unix.EAGAIN && flags&unix.MSG_DONTWAIT != 0 {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%s: receive: %w", s.name, err)
	}
	c.got += n
	if n == 0 || c.got > len(s.expect) || !bytes.Equal(c.in[:c.got], s.expect[:c.got]) {
		return false, fmt.Errorf("%s: the answer is %q, not %q", s.name, c.in[:c.got], s.expect)
	}
	if c.got < len(s.expect) {
		return false, nil
	}
	if s.take != (c.fresh >= 0) {
		return false, fmt.Errorf("%s: descriptor in the answer: %v, want %v", s.name, c.fresh >= 0, s.take)
	}
	if c.fresh >= 0 {
		unix.RawSyscall(unix.SYS_CLOSE, uintptr(c.fresh), 0, 0)
		c.fresh = -1
	}
	return true, nil
}

func (c *client) read(flags int) (int, error) {
	for {
		c.prepare(c.in[c.got:], int(unsafe.Sizeof(c.control)))
		n, _, errno := unix.RawSyscall(unix.SYS_RECVMSG, uintptr(c.fd), uintptr(unsafe.Pointer(&c.header)),
			uintptr(flags|unix.MSG_CMSG_CLOEXEC))
		switch {
		case errno == unix.EINTR:
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
