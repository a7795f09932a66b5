// Package client is the other end of the connection cache protocol: what
// smtp(8) does to save a session and to find it again (src/global/scache_clnt.c
// in Postfix), for tests, tools and other Go programs.
//
// Begin with [Dial]. A [Client] carries one request at a time and never looks at
// the sessions themselves; it does not reconnect.
package client

import (
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sys/unix"

	"scache/attrproto"
	"scache/scached/protocol"
)

// ErrNotFound is what a lookup returns when no session is cached.
var ErrNotFound = errors.New("connection cache: not found")

// A StatusError is the status of a request that the server did not carry out: 1
// for a malformed request, 2 for a descriptor that did not arrive.
type StatusError int

func (e StatusError) Error() string {
	return fmt.Sprintf("connection cache: request failed with status %d", int(e))
}

// DefaultTimeout is how long a Client waits for the server within a request.
const DefaultTimeout = 10 * time.Second

// A Client is a connection to a connection cache server.
type Client struct {
	// Timeout is how long each step of a request may take. After an error other
	// than ErrNotFound and StatusError the client is of no more use.
	Timeout time.Duration

	fd       int // owned
	dialect  protocol.Dialect
	receiver attrproto.Receiver
	scan     attrproto.Scan
	out, in  []byte
}

// Dial connects to the server at path, a UNIX-domain stream socket, and checks
// its greeting if the dialect has one.
func Dial(path string, dialect protocol.Dialect) (*Client, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("connection cache: socket: %w", err)
	}
	if err := connect(fd, path); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("connection cache: connect to %s: %w", path, err)
	}
	return New(fd, dialect)
}

func connect(fd int, path string) error {
	for {
		err := unix.Connect(fd, &unix.SockaddrUnix{Name: path})
		if err != unix.EINTR {
			return err
		}
	}
}

// New makes a client out of a connected socket, which it takes ownership of
// whatever the result.
func New(fd int, dialect protocol.Dialect) (*Client, error) {
	c := &Client{Timeout: DefaultTimeout, fd: fd, dialect: dialect, in: make([]byte, 0, protocol.BufferSize)}
	if dialect.Greets {
		if err := c.read(wantGreeting, 0); err != nil {
			c.Close()
			return nil, fmt.Errorf("connection cache: greeting: %w", err)
		}
	}
	return c, nil
}

// Close ends the connection.
func (c *Client) Close() error { return unix.Close(c.fd) }

// FD borrows the client's socket.
func (c *Client) FD() int { return c.fd }

var (
	wantGreeting = []attrproto.Want{{Type: attrproto.Streq, Name: "protocol", Expect: protocol.ProtocolName}}
	wantDummy    = []attrproto.Want{{Name: "dummy"}}
	wantAnswer   = []attrproto.Want{{Type: attrproto.Int, Name: "status"}, {Name: "property"}, {Name: "property"}}
)

// SaveEndpoint saves a session that serves an endpoint, for at most ttl seconds.
// It borrows the descriptor; the server has one of its own afterwards.
func (c *Client) SaveEndpoint(ttl int, endpoint, property string, session int) error {
	c.request("save_endp", ttl)
	c.attribute("label", endpoint)
	c.attribute("property", property)
	if err := c.send(); err != nil {
		return fmt.Errorf("save_endp: %w", err)
	}
	if c.dialect.Before {
		if err := c.read(wantDummy, 1); err != nil {
			return fmt.Errorf("save_endp: dummy: %w", c.refused(err))
		}
	}
	if err := c.sendDescriptor(session); err != nil {
		return fmt.Errorf("save_endp: send descriptor: %w", err)
	}
	return c.answer("save_endp", 0)
}

// SaveDestination says that an endpoint serves a destination, for at most ttl
// seconds.
func (c *Client) SaveDestination(ttl int, destination, property, endpoint string) error {
	c.request("save_dest", ttl)
	c.attribute("label", destination)
	c.attribute("property", property)
	c.attribute("label", endpoint)
	if err := c.send(); err != nil {
		return fmt.Errorf("save_dest: %w", err)
	}
	return c.answer("save_dest", 0)
}

// FindEndpoint takes a session out of the cache. Its descriptor passes to the
// caller.
func (c *Client) FindEndpoint(endpoint string) (session int, property string, err error) {
	if err := c.find("find_endp", endpoint, 1); err != nil {
		return -1, "", err
	}
	property = string(c.scan.Bytes(c.in, 1))
	session, err = c.take("find_endp")
	return session, property, err
}

// FindDestination takes a session for a destination out of the cache. Its
// descriptor passes to the caller.
func (c *Client) FindDestination(destination string) (session int, destinationProperty, endpointProperty string, err error) {
	if err := c.find("find_dest", destination, 2); err != nil {
		return -1, "", "", err
	}
	destinationProperty = string(c.scan.Bytes(c.in, 1))
	endpointProperty = string(c.scan.Bytes(c.in, 2))
	session, err = c.take("find_dest")
	return session, destinationProperty, endpointProperty, err
}

func (c *Client) find(name, label string, properties int) error {
	c.request(name, 0)
	c.attribute("label", label)
	if err := c.send(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	err := c.answer(name, properties)
	if err == StatusError(2) {
		return ErrNotFound
	}
	return err
}

// take receives the session that the server has found.
func (c *Client) take(name string) (int, error) {
	if c.dialect.Before {
		if err := c.dummy(); err != nil {
			return -1, fmt.Errorf("%s: dummy: %w", name, err)
		}
	}
	session, err := c.receiveDescriptor()
	if err != nil {
		return -1, fmt.Errorf("%s: receive descriptor: %w", name, err)
	}
	if c.dialect.After {
		if err := c.dummy(); err != nil {
			unix.Close(session)
			return -1, fmt.Errorf("%s: dummy: %w", name, err)
		}
	}
	return session, nil
}

func (c *Client) dummy() error {
	c.attribute("dummy", "")
	return c.send()
}

// answer reads the status of a request, and the properties that come with it.
func (c *Client) answer(name string, properties int) error {
	if err := c.read(wantAnswer[:1+properties], 1+properties); err != nil {
		return fmt.Errorf("%s: answer: %w", name, err)
	}
	if status := int32(c.scan.Uint(0)); status != 0 {
		return StatusError(status)
	}
	return nil
}

// refused makes a status out of an answer that came where a dummy was due.
func (c *Client) refused(err error) error {
	c.scan.Start(attrproto.Strict, wantAnswer[:1])
	if c.scan.Run(c.in, io.EOF) {
		if count, _ := c.scan.Result(); count == 1 {
			return StatusError(c.scan.Uint(0))
		}
	}
	return err
}

func (c *Client) request(name string, ttl int) {
	c.attribute("request", name)
	if ttl != 0 {
		c.attribute("ttl", fmt.Sprint(ttl))
	}
}

func (c *Client) attribute(name, value string) {
	c.out = attrproto.AppendString(c.out, name, value)
}

// send ends the list and sends it.
func (c *Client) send() error {
	out := attrproto.AppendEnd(c.out)
	c.out = c.out[:0]
	for len(out) > 0 {
		n, err := unix.SendmsgN(c.fd, out, nil, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
		if err = c.wait(err, unix.POLLOUT); err != nil {
			return err
		}
		out = out[max(n, 0):]
	}
	return nil
}

// wait sees to it that a call that could not be carried out at once is worth
// another try.
func (c *Client) wait(err error, events int16) error {
	if err == unix.EINTR {
		return nil
	}
	if err != unix.EAGAIN {
		return err
	}
	poll := []unix.PollFd{{Fd: int32(c.fd), Events: events}}
	switch n, err := unix.Poll(poll, int(c.Timeout/time.Millisecond)); {
	case err != nil && err != unix.EINTR:
		return err
	case n == 0 && err == nil:
		return unix.ETIMEDOUT
	}
	return nil
}

// read reads a list with the wanted attributes. It leaves the bytes in c.in.
func (c *Client) read(wants []attrproto.Want, count int) error {
	c.in = c.in[:0]
	c.scan.Start(attrproto.Strict, wants)
	for !c.scan.Run(c.in, nil) {
		if err := c.fill(); err != nil {
			return err
		}
	}
	switch got, err := c.scan.Result(); {
	case err != nil:
		return err
	case got != count:
		return io.ErrUnexpectedEOF
	}
	return nil
}

// fill reads what is there; byte by byte if a descriptor may follow unasked.
func (c *Client) fill() error {
	if len(c.in) == cap(c.in) {
		c.in = append(c.in, 0)[:len(c.in)]
	}
	p := c.in[len(c.in):cap(c.in)]
	if !c.dialect.Before {
		p = p[:1]
	}
	for {
		n, fds, err := c.receiver.Receive(c.fd, p)
		for _, fd := range fds {
			unix.Close(fd)
		}
		if err == nil && n == 0 {
			return io.ErrUnexpectedEOF
		}
		if err == nil {
			c.in = c.in[:len(c.in)+n]
			return nil
		}
		if err = c.wait(err, unix.POLLIN); err != nil {
			return err
		}
	}
}

func (c *Client) sendDescriptor(session int) error {
	for {
		err := attrproto.SendDescriptor(c.fd, session)
		if err == nil {
			return nil
		}
		if err = c.wait(err, unix.POLLOUT); err != nil {
			return err
		}
	}
}

func (c *Client) receiveDescriptor() (int, error) {
	var nul [1]byte
	for {
		n, fds, err := c.receiver.Receive(c.fd, nul[:])
		switch {
		case err == nil && len(fds) == 1:
			return fds[0], nil
		case err == nil:
			for _, fd := range fds {
				unix.Close(fd)
			}
			if n == 0 {
				return -1, io.ErrUnexpectedEOF
			}
			return -1, errors.New("no descriptor")
		}
		if err = c.wait(err, unix.POLLIN); err != nil {
			return -1, err
		}
	}
}
