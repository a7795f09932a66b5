package wire

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// MostInMessage is the most descriptors that the kernel lets into one message
// (SCM_MAX_FD).
const MostInMessage = 253

// ErrMissed means that no session was found.
var ErrMissed = errors.New("no session was found")

// Rights is a control message with these descriptors, or nothing for none.
func Rights(fds ...int) []byte {
	if len(fds) == 0 {
		return nil
	}
	return unix.UnixRights(fds...)
}

// Same is a control message with one descriptor n times.
func Same(fd, n int) []byte { return Rights(slices.Repeat([]int{fd}, n)...) }

const bufferSize = 16 << 10

// receive takes up to len(p) bytes and the descriptors that come with them, which
// pass to the caller.
func (c *Client) receive(p []byte, flags int) (n int, fds []int, err error) {
	var controlled, flagged int
	err = retry(func() (err error) {
		n, controlled, flagged, _, err = unix.Recvmsg(c.fd, p, c.control[:], flags|unix.MSG_CMSG_CLOEXEC)
		return err
	})
	if err != nil || controlled == 0 {
		return max(n, 0), nil, err
	}
	messages, err := unix.ParseSocketControlMessage(c.control[:controlled])
	for _, message := range messages {
		if rights, err := unix.ParseUnixRights(&message); err == nil {
			fds = append(fds, rights...)
		}
	}
	if err == nil && flagged&unix.MSG_CTRUNC != 0 {
		err = errors.New("the control message was cut off")
	}
	if err != nil {
		closeAll(fds)
		return n, nil, fmt.Errorf("control message: %w", err)
	}
	return n, fds, nil
}

func closeAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}

// Arrived takes all that has arrived, without waiting. The data is the client's
// until the next call; the descriptors pass to the caller. It tells as well
// whether the daemon has ended the connection.
func (c *Client) Arrived() (data []byte, fds []int, ended bool, err error) {
	data = c.buffer[:0]
	defer func() { c.buffer = data }()
	for {
		if cap(data)-len(data) < bufferSize {
			data = append(make([]byte, 0, 2*cap(data)+bufferSize), data...)
		}
		n, more, err := c.receive(data[len(data):cap(data)], unix.MSG_DONTWAIT)
		data, fds = data[:len(data)+n], append(fds, more...)
		switch {
		case err == unix.EAGAIN:
			return data, fds, false, nil
		case err == unix.ECONNRESET || err == nil && n == 0:
			return data, fds, true, nil
		case err != nil:
			return data, fds, false, fmt.Errorf("receive: %w", err)
		}
	}
}

// Save saves a session, of which it borrows the descriptor; ttl is in seconds.
func (c *Client) Save(endpoint, ttl string, session int) error {
	if err := c.Ask(SaveEndpoint(endpoint, ttl), Dummy); err != nil {
		return err
	}
	if err := c.Send("\x00", session); err != nil {
		return err
	}
	return c.Expect(Done)
}

// LookUp asks for a session and tells whether there is one. The two answers
// differ from the status on.
func (c *Client) LookUp(request, hit, miss string) (bool, error) {
	if err := c.Send(request); err != nil {
		return false, err
	}
	const status = len("status\x000\x00")
	var first [status]byte
	if err := c.ReadFull(first[:]); err != nil {
		return false, err
	}
	switch string(first[:]) {
	case hit[:status]:
		return true, c.Expect(hit[status:])
	case miss[:status]:
		return false, c.Expect(miss[status:])
	}
	return false, fmt.Errorf("unexpected answer %q", first)
}

// Find takes a session of an endpoint out of the cache, with a descriptor that
// passes to the caller, or returns [ErrMissed].
func (c *Client) Find(endpoint string) (session int, err error) {
	hit, err := c.LookUp(FindEndpoint(endpoint), Found, Missed)
	if err == nil && !hit {
		err = ErrMissed
	}
	if err != nil {
		return -1, err
	}
	return c.Take()
}

// Take receives a session that the daemon has found. The descriptor passes to
// the caller. That the daemon does not hear the last word is no error: the
// session is here.
func (c *Client) Take() (session int, err error) {
	if err := c.Send(Dummy); err != nil {
		return -1, err
	}
	if session, err = c.ReceiveSession(); err == nil {
		c.Send(Dummy)
	}
	return session, err
}

// ReceiveSession receives a NUL with one descriptor, which passes to the caller.
func (c *Client) ReceiveSession() (session int, err error) {
	var nul [1]byte
	n, fds, err := c.receive(nul[:], 0)
	if err != nil {
		return -1, fmt.Errorf("receive descriptor: %w", timedOut(err))
	}
	if n == 1 && nul[0] == 0 && len(fds) == 1 {
		return fds[0], nil
	}
	closeAll(fds)
	return -1, fmt.Errorf("receive descriptor: got %q with %d of them", nul[:n], len(fds))
}
