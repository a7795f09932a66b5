// Package control asks a running scached what it does, and tells it to give up
// sessions: the client of the control requests of package protocol.
//
// A [Client] comes first; its methods are one question each. Whoever asks comes
// and goes: a connection that stayed would keep the daemon from ending when
// nobody uses it. [Destination] and [Endpoint] take apart what the labels of
// smtp(8) hold, and [Properties] does that for what it saves beside them. The
// package never reads, takes or saves a session.
package control

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"scache/attrproto"
	"scache/scached/protocol"
)

// Errors about the service as a whole. They are wrapped, with the path.
var (
	// ErrDenied is for users who are neither root nor mail_owner.
	ErrDenied = errors.New("permission denied: only root and mail_owner may ask")
	// ErrNotRunning is for a socket that is not there, or that nobody listens to.
	ErrNotRunning = errors.New("no connection cache there: Postfix is not running, or has no such service")
	// ErrNoControl is for a server that does not know the request.
	ErrNoControl = errors.New("it answers no control requests: it is Postfix's own scache(8), an older scached, or one with scached_control = no")
)

// defaultTimeout is for one question with its answer.
const defaultTimeout = 10 * time.Second

// greetingTime is for how long a greeting is waited for. Servers in a dialect of
// Postfix before 3.6 say nothing until they are asked.
const greetingTime = time.Second

// A Client asks the server behind one socket. Its methods are for concurrent use.
type Client struct {
	Path    string        // of the service's UNIX-domain stream socket
	Timeout time.Duration // for one question with its answer; 0 for ten seconds
}

// A conversation is one connection, for one question or several of a kind.
type conversation struct {
	conn    net.Conn
	in      *attrproto.Reader
	out     *attrproto.Writer
	timeout time.Duration
}

// connect is for the caller to close.
func (c *Client) connect(ctx context.Context) (*conversation, error) {
	timeout := c.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	dialer := net.Dialer{Timeout: timeout}
	conn, err := dialer.DialContext(ctx, "unix", c.Path)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%s: %w", c.Path, ErrDenied)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ECONNREFUSED):
		return nil, fmt.Errorf("%s: %w", c.Path, ErrNotRunning)
	case err != nil:
		return nil, fmt.Errorf("connection cache: %w", err)
	}
	stream := bufio.NewReader(conn)
	t := &conversation{conn: conn, in: attrproto.NewReader(stream), out: attrproto.NewWriter(conn), timeout: timeout}
	context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	conn.SetDeadline(time.Now().Add(min(timeout, greetingTime)))
	_, err = stream.Peek(1)
	if err == nil {
		err = t.in.Greeting(protocol.ProtocolName)
	} else if errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() == nil {
		err = nil // an older dialect
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("%s: %w", c.Path, because(ctx, err))
	}
	return t, nil
}

// because is why something failed: that it was to end, when it was.
func because(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// ask sends a request and reads the status of its answer, which has to be read on.
func (t *conversation) ask(ctx context.Context, request string, parameters ...protocol.Attribute) error {
	t.conn.SetDeadline(time.Now().Add(t.timeout))
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	t.out.String("request", request)
	for _, p := range parameters {
		t.out.String(p.Name, p.Value)
	}
	if err := t.out.Send(); err != nil {
		return because(ctx, err)
	}
	var status int
	if _, err := t.in.Scan(attrproto.FlagStrict|attrproto.FlagMore, attrproto.IntVar("status", &status)); err != nil {
		return because(ctx, err)
	}
	switch status {
	case protocol.StatusOK:
		return nil
	case protocol.StatusBad:
		return ErrNoControl
	}
	return fmt.Errorf("%s: status %d", request, status)
}

// read reads the next attributes of an answer.
func (t *conversation) read(ctx context.Context, wants ...attrproto.Want) error {
	_, err := t.in.Scan(attrproto.FlagMissing|attrproto.FlagMore, wants...)
	return because(ctx, err)
}

// end reads the end of an answer.
func (t *conversation) end(ctx context.Context) error {
	_, err := t.in.Scan(0)
	return because(ctx, err)
}
