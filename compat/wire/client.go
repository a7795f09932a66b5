package wire

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

var (
	// ErrNoAnswer means that the daemon let a client wait for too long, or did
	// not read what it sent.
	ErrNoAnswer = errors.New("no answer")
	// ErrEnded means that the daemon has ended the connection.
	ErrEnded = errors.New("the connection has ended")
)

// A Client is a connection to a daemon. One goroutine at a time uses it.
type Client struct {
	fd      int                             // owned; -1 when closed
	buffer  []byte                          // of Arrived
	control [24 + 4*MostInMessage + 32]byte // of receive: with room for what nobody expects
}

// Dial connects to a daemon. No call waits for longer than patience, to connect
// when the daemon does not accept neither.
func Dial(path string, patience time.Duration) (*Client, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	c, err := New(fd, patience)
	if err != nil {
		return nil, err
	}
	if err := retry(func() error { return unix.Connect(fd, &unix.SockaddrUnix{Name: path}) }); err != nil {
		c.Close()
		return nil, fmt.Errorf("connect: %w", timedOut(err))
	}
	return c, nil
}

// New makes a client of a stream socket that blocks. It takes ownership of the
// descriptor, whatever the result.
func New(fd int, patience time.Duration) (*Client, error) {
	limit := unix.NsecToTimeval(int64(patience))
	for _, option := range []int{unix.SO_RCVTIMEO, unix.SO_SNDTIMEO} {
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, option, &limit); err != nil {
			unix.Close(fd)
			return nil, fmt.Errorf("set timeout: %w", err)
		}
	}
	return &Client{fd: fd}, nil
}

// DialGreeted is Dial for a client that has read its greeting.
func DialGreeted(path string, patience time.Duration) (*Client, error) {
	c, err := Dial(path, patience)
	if err != nil {
		return nil, err
	}
	if err := c.Expect(Greeting); err != nil {
		c.Close()
		return nil, fmt.Errorf("greeting: %w", err)
	}
	return c, nil
}

func retry(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}

func timedOut(err error) error {
	if err == unix.EAGAIN || err == unix.EINPROGRESS {
		return ErrNoAnswer
	}
	return err
}

// FD borrows the client's socket, a blocking one; it is -1 when closed.
func (c *Client) FD() int { return c.fd }

// Close ends the connection, unless another descriptor of it is open somewhere.
func (c *Client) Close() { closeEnd(&c.fd) }

// HangUp ends the connection such that the daemon knows when it returns, even if
// some process that is being started has the descriptor, too.
func (c *Client) HangUp() {
	if c.fd >= 0 {
		unix.Shutdown(c.fd, unix.SHUT_RDWR)
	}
	c.Close()
}

// Finish tells the daemon that nothing more will be sent.
func (c *Client) Finish() error { return unix.Shutdown(c.fd, unix.SHUT_WR) }

// Send sends all of data, and descriptors, which it borrows, with the first
// byte of it.
func (c *Client) Send(data string, fds ...int) error {
	return c.SendControl(data, Rights(fds...))
}

// SendControl is Send for any control messages.
func (c *Client) SendControl(data string, control []byte) error {
	for len(data) > 0 {
		n, err := c.sendSome(data, control, 0)
		if err != nil {
			return fmt.Errorf("send: %w", timedOut(err))
		}
		data, control = data[n:], nil
	}
	return nil
}

// SendUrgent sends one urgent byte (MSG_OOB) with descriptors, which it borrows.
func (c *Client) SendUrgent(fds ...int) error {
	if _, err := c.sendSome("!", Rights(fds...), unix.MSG_OOB); err != nil {
		return fmt.Errorf("send urgent byte: %w", timedOut(err))
	}
	return nil
}

// TrySend sends what fits, and returns how much that is. The descriptors are
// borrowed, and go with the first byte.
func (c *Client) TrySend(data string, fds ...int) (n int, err error) {
	n, err = c.sendSome(data, Rights(fds...), unix.MSG_DONTWAIT)
	return max(n, 0), err
}

func (c *Client) sendSome(data string, control []byte, flags int) (n int, err error) {
	err = retry(func() (err error) {
		n, err = unix.SendmsgN(c.fd, []byte(data), control, nil, unix.MSG_NOSIGNAL|flags)
		return err
	})
	return n, err
}

// Unread is how many bytes the daemon has not read yet, 0 if that cannot be
// told. A byte counts for some hundred, since the kernel counts buffers.
func (c *Client) Unread() int {
	n, err := unix.IoctlGetInt(c.fd, unix.SIOCOUTQ)
	if err != nil {
		return 0
	}
	return n
}

// ReadFull fills p.
func (c *Client) ReadFull(p []byte) error {
	for n := 0; n < len(p); {
		var m int
		err := retry(func() (err error) {
			m, err = unix.Read(c.fd, p[n:])
			return err
		})
		if err != nil {
			return fmt.Errorf("got %q: %w", p[:n], timedOut(err))
		}
		if m == 0 {
			return fmt.Errorf("got %q: %w", p[:n], ErrEnded)
		}
		n += m
	}
	return nil
}

// ReadAll reads until the daemon ends the connection.
func (c *Client) ReadAll() (all []byte, err error) {
	for p := make([]byte, bufferSize); ; {
		var n int
		err := retry(func() (err error) {
			n, err = unix.Read(c.fd, p)
			return err
		})
		switch {
		case err == nil && n == 0, err == unix.ECONNRESET: // it had not read everything
			return all, nil
		case err != nil:
			return all, fmt.Errorf("waiting for the end: %w", timedOut(err))
		}
		all = append(all, p[:n]...)
	}
}

// Expect reads exactly what is wanted.
func (c *Client) Expect(want string) error {
	got := make([]byte, len(want))
	if err := c.ReadFull(got); err != nil {
		return fmt.Errorf("waiting for %q: %w", want, err)
	}
	if string(got) != want {
		return fmt.Errorf("read %q, want %q", got, want)
	}
	return nil
}

// Ask sends a request and reads its answer.
func (c *Client) Ask(request, answer string) error {
	if err := c.Send(request); err != nil {
		return err
	}
	return c.Expect(answer)
}

// Await waits until something has arrived, or the end.
func (c *Client) Await(patience time.Duration) bool {
	return waitFor(c.fd, unix.POLLIN, patience) != 0
}

// Ended waits until the daemon has ended the connection. That there is something
// to read does not count.
func (c *Client) Ended(patience time.Duration) bool {
	return waitFor(c.fd, 0, patience)&unix.POLLHUP != 0
}

// waitFor waits for events of a descriptor, and returns those that came.
func waitFor(fd int, events int16, patience time.Duration) int16 {
	deadline := time.Now().Add(patience)
	for {
		left := time.Until(deadline)
		poll := []unix.PollFd{{Fd: int32(fd), Events: events}}
		n, err := unix.Poll(poll, int(max(left, 0)/time.Millisecond))
		if err == nil && n > 0 {
			return poll[0].Revents
		}
		if err != unix.EINTR && left <= 0 {
			return 0
		}
	}
}

// Urgent tells whether an urgent byte is there to be read from a descriptor.
func Urgent(fd int) bool { return waitFor(fd, unix.POLLPRI, 0)&unix.POLLPRI != 0 }

// Readable tells whether something, or the end, can be read from a descriptor.
func Readable(fd int) bool { return waitFor(fd, unix.POLLIN, 0) != 0 }
