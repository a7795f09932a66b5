package attrproto

import (
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A RawSocket makes a bare descriptor of a socket fit for [NewConn] and
// [NewSocket], without the runtime's poller and without a change to the
// socket: it works whether the socket blocks or not. Waiting takes a thread.
type RawSocket struct {
	d        *Descriptor
	deadline atomic.Pointer[time.Time]
}

// NewRawSocket takes ownership of fd.
func NewRawSocket(fd int) *RawSocket { return &RawSocket{d: NewDescriptor(fd)} }

// SetDeadline sets when waiting ends with [os.ErrDeadlineExceeded]; the zero
// time stands for never. It has no effect on a wait that has begun.
func (s *RawSocket) SetDeadline(t time.Time) error {
	s.deadline.Store(&t)
	return nil
}

// Close closes the socket. It does not end a wait in another goroutine.
func (s *RawSocket) Close() error { return s.d.Close() }

// SyscallConn implements [syscall.Conn].
func (s *RawSocket) SyscallConn() (syscall.RawConn, error) { return rawConn{s}, nil }

// rawConn is the RawConn of a RawSocket.
type rawConn struct{ s *RawSocket }

func (c rawConn) Control(f func(fd uintptr)) error {
	fd := c.s.d.Int()
	if fd < 0 {
		return os.ErrClosed
	}
	f(uintptr(fd))
	return nil
}

func (c rawConn) Read(f func(fd uintptr) (done bool)) error { return c.wait(unix.POLLIN, f) }

func (c rawConn) Write(f func(fd uintptr) (done bool)) error { return c.wait(unix.POLLOUT, f) }

// wait calls f until it is done, each time after the socket is ready.
func (c rawConn) wait(events int16, f func(fd uintptr) (done bool)) error {
	for {
		fd := c.s.d.Int()
		if fd < 0 {
			return os.ErrClosed
		}
		if f(uintptr(fd)) {
			return nil
		}
		if err := c.poll(fd, events); err != nil {
			return err
		}
	}
}

// poll waits for an event until the deadline.
func (c rawConn) poll(fd int, events int16) error {
	for {
		timeout := -1
		if t := c.s.deadline.Load(); t != nil && !t.IsZero() {
			// Rounded up, so that the last wait is not a busy one.
			timeout = int(min((time.Until(*t)+time.Millisecond-1)/time.Millisecond, 1<<30))
			if timeout <= 0 {
				return os.ErrDeadlineExceeded
			}
		}
		fds := []unix.PollFd{{Fd: int32(fd), Events: events}}
		n, err := unix.Poll(fds, timeout)
		switch {
		case err != nil && err != unix.EINTR:
			return os.NewSyscallError("poll", err)
		case n > 0:
			return nil
		}
	}
}
