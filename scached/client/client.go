// Package client is the other end of the connection cache protocol: what
// smtp(8) does to save a session and to find it again (src/global/scache_clnt.c
// in Postfix), for tests, tools and other Go programs.
//
// Begin with [Dial]. A [Client] carries one request at a time. It never looks at
// the sessions themselves, does not change them, and does not reconnect.
package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"scache/attrproto"
	"scache/scached/protocol"
)

// ErrNotFound is what a lookup returns when no session is cached.
var ErrNotFound = errors.New("connection cache: not found")

// A StatusError is the status of a request that the server did not carry out:
// [protocol.StatusBad] for a malformed request, [protocol.StatusFailed] for a
// descriptor that did not arrive.
type StatusError int

func (e StatusError) Error() string {
	return fmt.Sprintf("connection cache: request failed with status %d", int(e))
}

// DefaultTimeout is how long a Client waits for the server, unless it is told
// otherwise.
const DefaultTimeout = 10 * time.Second

// A Client is a connection to a connection cache server. Its methods are not for
// concurrent use. After an error other than ErrNotFound and StatusError it is of
// no more use than to be closed.
type Client struct {
	// Timeout is how long a request may take, besides what its context allows;
	// beyond that the error is [os.ErrDeadlineExceeded].
	Timeout time.Duration

	socket    *net.UnixConn
	conn      *attrproto.Conn
	handshake attrproto.Handshake
}

// Dial connects to the server at path, a UNIX-domain stream socket, and checks
// its greeting if the dialect has one. It waits for at most DefaultTimeout.
func Dial(ctx context.Context, path string, dialect protocol.Dialect) (*Client, error) {
	ctx, cancel := context.WithTimeout(ctx, DefaultTimeout)
	defer cancel()
	socket, err := connect(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("connection cache: %w", err)
	}
	return New(ctx, socket, dialect)
}

// connect tries again while the server has as many clients waiting as it may
// have: a socket that does not block is refused then, where others wait.
func connect(ctx context.Context, path string) (*net.UnixConn, error) {
	const pause = time.Millisecond
	var dialer net.Dialer
	for {
		socket, err := dialer.DialContext(ctx, "unix", path)
		if err == nil {
			return socket.(*net.UnixConn), nil
		}
		if !errors.Is(err, unix.EAGAIN) {
			var errno syscall.Errno
			if errors.As(err, &errno) {
				err = errno // without the path, which is said already
			}
			return nil, fmt.Errorf("connect to %s: %w", path, err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("connect to %s: %w", path, context.Cause(ctx))
		case <-time.After(pause):
		}
	}
}

// New makes a client out of a connection, which it takes ownership of whatever
// the result, and checks the server's greeting if the dialect has one.
func New(ctx context.Context, socket *net.UnixConn, dialect protocol.Dialect) (*Client, error) {
	c := &Client{Timeout: DefaultTimeout, socket: socket,
		handshake: attrproto.Handshake{Before: dialect.Before, After: dialect.After}}
	err := dialect.Check()
	if err == nil {
		c.conn, err = attrproto.NewConn(socket)
	}
	if err != nil {
		socket.Close()
		return nil, fmt.Errorf("connection cache: %w", err)
	}
	if !dialect.Greets {
		return c, nil
	}
	err = c.within(ctx, func() error { return c.conn.In.Greeting(protocol.ProtocolName) })
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("connection cache: %w", err)
	}
	return c, nil
}

// Close ends the connection.
func (c *Client) Close() error { return c.conn.Close() }

// SaveEndpoint saves a session that serves an endpoint, for at most ttl, which
// must be more than zero: the protocol counts whole seconds, and a part of one
// counts for a whole one. It borrows the descriptor; the server has one of its
// own afterwards.
func (c *Client) SaveEndpoint(ctx context.Context, ttl time.Duration, endpoint, property string, session int) error {
	return c.request(ctx, "save_endp", func(out *attrproto.Writer) error {
		out.Int("ttl", seconds(ttl))
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
		return err
	})
}

// SaveDestination says that an endpoint serves a destination, for at most ttl,
// as in [Client.SaveEndpoint].
func (c *Client) SaveDestination(ctx context.Context, ttl time.Duration, destination, property, endpoint string) error {
	return c.request(ctx, "save_dest", func(out *attrproto.Writer) error {
		out.Int("ttl", seconds(ttl))
		out.String("label", destination)
		out.String("property", property)
		out.String("label", endpoint)
		if err := out.Send(); err != nil {
			return err
		}
		return c.answer()
	})
}

// FindEndpoint takes a session out of the cache, or returns [ErrNotFound]. The
// descriptor passes to the caller.
func (c *Client) FindEndpoint(ctx context.Context, endpoint string) (session int, property string, err error) {
	session, err = c.find(ctx, "find_endp", endpoint, &property)
	return session, property, err
}

// FindDestination takes a session for a destination out of the cache, or returns
// [ErrNotFound]. The descriptor passes to the caller.
func (c *Client) FindDestination(ctx context.Context, destination string) (session int, destinationProperty, endpointProperty string, err error) {
	session, err = c.find(ctx, "find_dest", destination, &destinationProperty, &endpointProperty)
	return session, destinationProperty, endpointProperty, err
}

// find looks for a session, and stores the properties that come with it.
func (c *Client) find(ctx context.Context, request, label string, properties ...*string) (session int, err error) {
	session = -1
	err = c.request(ctx, request, func(out *attrproto.Writer) error {
		out.String("label", label)
		err := out.Send()
		if err == nil {
			err = c.answer(properties...)
		}
		if err == nil {
			session, err = c.conn.ReceiveDescriptor(c.handshake)
		}
		return err
	})
	if err == StatusError(protocol.StatusFailed) {
		return -1, ErrNotFound
	}
	return session, err
}

// seconds rounds a time to live up.
func seconds(ttl time.Duration) int {
	if ttl > 0 {
		ttl += time.Second - 1
	}
	return int(ttl / time.Second)
}

// request begins a request and does the rest of it within its time.
func (c *Client) request(ctx context.Context, name string, do func(out *attrproto.Writer) error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("connection cache: %s: %w", name, context.Cause(ctx))
	}
	c.conn.Out.String("request", name)
	err := c.within(ctx, func() error { return do(c.conn.Out) })
	var status StatusError
	if err == nil || errors.As(err, &status) {
		return err
	}
	return fmt.Errorf("connection cache: %s: %w", name, err)
}

// within does something that ends when its time is up or the context is done.
func (c *Client) within(ctx context.Context, do func() error) error {
	if err := c.socket.SetDeadline(time.Now().Add(c.Timeout)); err != nil {
		return err
	}
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(interrupted)
		c.socket.SetDeadline(time.Unix(1, 0)) // wakes up whoever waits
	})
	err := do()
	if !stop() {
		<-interrupted // or it might hit the next request
	}
	if ctx.Err() != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		return context.Cause(ctx)
	}
	return err
}

// ready waits until the server can take the descriptor. When it does not like
// the request, it answers at once.
func (c *Client) ready() error {
	count, err := c.conn.In.Scan(0, attrproto.Want{Name: "dummy"})
	if err == nil && count == 0 {
		err = StatusError(protocol.StatusBad)
	}
	return err
}

// answer reads the status of a request, and the properties that come with it.
func (c *Client) answer(properties ...*string) error {
	status := protocol.StatusOK
	wants := []attrproto.Want{attrproto.IntVar("status", &status)}
	for _, property := range properties {
		wants = append(wants, attrproto.StringVar("property", property))
	}
	if _, err := c.conn.In.Scan(attrproto.FlagStrict, wants...); err != nil {
		return err
	}
	if status != protocol.StatusOK {
		return StatusError(status)
	}
	return nil
}
