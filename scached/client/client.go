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

// statusBad and statusFailed are what a server says of a request.
const (
	statusBad    StatusError = 1
	statusFailed StatusError = 2
)

// DefaultTimeout is how long a Client waits for the server to carry out a
// request.
const DefaultTimeout = 10 * time.Second

// A Client is a connection to a connection cache server.
type Client struct {
	// Timeout is how long a request may take; beyond that the error is
	// [os.ErrDeadlineExceeded]. After an error other than ErrNotFound and
	// StatusError the client is of no more use.
	Timeout time.Duration

	fd        int // of socket
	socket    *attrproto.RawSocket
	conn      *attrproto.Conn
	handshake attrproto.Handshake
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
	c := &Client{Timeout: DefaultTimeout, fd: fd, socket: attrproto.NewRawSocket(fd),
		handshake: attrproto.Handshake{Before: dialect.Before, After: dialect.After}}
	conn, err := attrproto.NewConn(c.socket)
	if err != nil {
		c.socket.Close()
		return nil, fmt.Errorf("connection cache: %w", err)
	}
	c.conn = conn
	if dialect.Greets {
		c.socket.SetDeadline(time.Now().Add(c.Timeout))
		if err := c.conn.In.Greeting(protocol.ProtocolName); err != nil {
			c.Close()
			return nil, fmt.Errorf("connection cache: %w", err)
		}
	}
	return c, nil
}

// Close ends the connection.
func (c *Client) Close() error { return c.conn.Close() }

// FD borrows the client's socket.
func (c *Client) FD() int { return c.fd }

// SaveEndpoint saves a session that serves an endpoint, for at most ttl seconds.
// It borrows the descriptor; the server has one of its own afterwards.
func (c *Client) SaveEndpoint(ttl int, endpoint, property string, session int) error {
	out := c.begin("save_endp")
	out.Int("ttl", ttl)
	out.String("label", endpoint)
	out.String("property", property)
	err := out.Send()
	if err == nil && c.handshake.Before {
		err = c.ready()
	}
	if err == nil {
		err = c.conn.SendDescriptor(session, attrproto.Handshake{})
	}
	if err == nil {
		err = c.answer()
	}
	return failed("save_endp", err)
}

// SaveDestination says that an endpoint serves a destination, for at most ttl
// seconds.
func (c *Client) SaveDestination(ttl int, destination, property, endpoint string) error {
	out := c.begin("save_dest")
	out.Int("ttl", ttl)
	out.String("label", destination)
	out.String("property", property)
	out.String("label", endpoint)
	err := out.Send()
	if err == nil {
		err = c.answer()
	}
	return failed("save_dest", err)
}

// FindEndpoint takes a session out of the cache. Its descriptor passes to the
// caller.
func (c *Client) FindEndpoint(endpoint string) (session int, property string, err error) {
	session, err = c.find("find_endp", endpoint, &property)
	return session, property, err
}

// FindDestination takes a session for a destination out of the cache. Its
// descriptor passes to the caller.
func (c *Client) FindDestination(destination string) (session int, destinationProperty, endpointProperty string, err error) {
	session, err = c.find("find_dest", destination, &destinationProperty, &endpointProperty)
	return session, destinationProperty, endpointProperty, err
}

// find looks for a session, and stores the properties that come with it.
func (c *Client) find(request, label string, properties ...*string) (session int, err error) {
	out := c.begin(request)
	out.String("label", label)
	err = out.Send()
	if err == nil {
		err = c.answer(properties...)
	}
	if err == statusFailed {
		return -1, ErrNotFound
	}
	if err != nil {
		return -1, failed(request, err)
	}
	d, err := c.conn.ReceiveDescriptor(c.handshake)
	if err != nil {
		return -1, failed(request, err)
	}
	return d.Release(), nil
}

// begin starts a request, and its time.
func (c *Client) begin(request string) *attrproto.Writer {
	c.socket.SetDeadline(time.Now().Add(c.Timeout))
	c.conn.Out.String("request", request)
	return c.conn.Out
}

// ready waits until the server can take the descriptor. When it does not like
// the request, it answers at once.
func (c *Client) ready() error {
	count, err := c.conn.In.Scan(0, attrproto.Want{Name: "dummy"})
	if err == nil && count == 0 {
		err = statusBad
	}
	return err
}

// answer reads the status of a request, and the properties that come with it.
func (c *Client) answer(properties ...*string) error {
	status := 0
	wants := []attrproto.Want{attrproto.IntVar("status", &status)}
	for _, property := range properties {
		wants = append(wants, attrproto.StringVar("property", property))
	}
	if _, err := c.conn.In.Scan(attrproto.FlagStrict, wants...); err != nil {
		return err
	}
	if status != 0 {
		return StatusError(status)
	}
	return nil
}

func failed(request string, err error) error {
	var status StatusError
	if err == nil || errors.As(err, &status) {
		return err
	}
	return fmt.Errorf("connection cache: %s: %w", request, err)
}
