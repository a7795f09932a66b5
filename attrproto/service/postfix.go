package service

import (
	"fmt"
	"net"
	"path/filepath"
	"time"

	"scache/attrproto"
)

// DefaultQueueDirectory is where Postfix has its queue unless it is told
// otherwise.
const DefaultQueueDirectory = "/var/spool/postfix"

// DefaultTimeout is how long a question may take unless it is told otherwise.
const DefaultTimeout = 30 * time.Second

// A Postfix is a running Postfix to ask. The zero value is one of version 3.6
// or later in the usual place.
type Postfix struct {
	// QueueDirectory is Postfix's queue_directory; DefaultQueueDirectory if
	// empty. A path of more than some 80 bytes is too long for a socket.
	QueueDirectory string
	// NoGreeting says that it is older than 3.6, where services wait for a
	// request before they say anything.
	NoGreeting bool
	// Timeout is for a whole question. For the queue it is how long each message
	// may take. DefaultTimeout if 0.
	Timeout time.Duration
}

// A conn is a connection to a service that has greeted.
type conn struct {
	net.Conn
	in      *attrproto.Reader
	out     *attrproto.Writer
	timeout time.Duration
}

// dial connects to the service of that name.
func (p Postfix) dial(name string) (*conn, error) {
	s, ok := Find(name)
	if !ok {
		return nil, fmt.Errorf("no service %q", name)
	}
	dir := p.QueueDirectory
	if dir == "" {
		dir = DefaultQueueDirectory
	}
	c := &conn{timeout: p.Timeout}
	if c.timeout == 0 {
		c.timeout = DefaultTimeout
	}
	var err error
	if c.Conn, err = net.DialTimeout("unix", filepath.Join(dir, s.Path()), c.timeout); err != nil {
		return nil, err
	}
	c.extend()
	c.in, c.out = attrproto.NewReader(c), attrproto.NewWriter(c)
	c.in.Encoding, c.out.Encoding = s.Encoding, s.Encoding
	if p.NoGreeting {
		return c, nil
	}
	if err := c.in.Greeting(s.Protocol); err != nil {
		c.Close()
		return nil, fmt.Errorf("greeting: %w", err)
	}
	return c, nil
}

// extend gives the connection its time anew.
func (c *conn) extend() { c.SetDeadline(time.Now().Add(c.timeout)) }

// ask sends a request and reads the answer, which must have that many
// attributes or more.
func (p Postfix) ask(name string, least int, request func(*attrproto.Writer), flags attrproto.Flags, wants ...attrproto.Want) error {
	c, err := p.dial(name)
	if err != nil {
		return fmt.Errorf("ask %s: %w", name, err)
	}
	defer c.Close()
	request(c.out)
	if err := c.out.Send(); err != nil {
		return fmt.Errorf("ask %s: %w", name, err)
	}
	count, err := c.in.Scan(flags, wants...)
	if err == nil && count < least {
		err = fmt.Errorf("%d attributes, not %d", count, least)
	}
	if err != nil {
		return fmt.Errorf("answer of %s: %w", name, err)
	}
	return nil
}
