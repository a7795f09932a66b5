package scripts

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"scache/attrproto"
)

// A client is a connection to a daemon that a scenario speaks on, byte by byte.
type client struct{ fd int } // owned; -1 when closed

func (c *client) close() {
	if c.fd >= 0 {
		unix.Close(c.fd)
		c.fd = -1
	}
}

// client takes the name of a client from the front of the words.
func (c *call) client() (*client, error) {
	if len(c.args) == 0 {
		return nil, errors.New("usage: the name of a client comes first")
	}
	found := c.clients[c.args[0]]
	if found == nil {
		return nil, fmt.Errorf("no client %s", c.args[0])
	}
	c.args = c.args[1:]
	return found, nil
}

// onClient makes a command of a function of a client and of the words after its
// name.
func onClient(run func(c *client, words []string) error) func(*call) error {
	return func(c *call) error {
		client, err := c.client()
		if err != nil {
			return err
		}
		return run(client, c.args)
	}
}

// connect [-d name] CLIENT...
func connect(c *call) error {
	d, err := c.daemon()
	if err != nil {
		return err
	}
	for _, name := range c.args {
		if c.clients[name] != nil {
			return fmt.Errorf("client %s is connected", name)
		}
		fd, err := d.Dial()
		if err != nil {
			return err
		}
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: int64(patience / time.Second)})
		c.clients[name] = &client{fd}
	}
	return nil
}

// disconnect CLIENT
func disconnect(c *call) error {
	for _, name := range c.args {
		if c.clients[name] == nil {
			return fmt.Errorf("no client %s", name)
		}
		c.clients[name].close()
		delete(c.clients, name)
	}
	return nil
}

// finish CLIENT
// tells the daemon that the client will send nothing more.
func finish(c *client, _ []string) error {
	return unix.Shutdown(c.fd, unix.SHUT_WR)
}

// send CLIENT TEXT...
// sends bytes; \0 is a NUL.
func send(c *client, words []string) error {
	return c.write(unescape(strings.Join(words, " ")))
}

// request CLIENT NAME=VALUE...
// sends a list of attributes.
func request(c *client, words []string) error {
	list, err := attributes(words)
	if err != nil {
		return err
	}
	return c.write(list)
}

// expect CLIENT TEXT...
// reads as many bytes, and compares.
func expect(c *client, words []string) error {
	return c.expect(unescape(strings.Join(words, " ")))
}

// answer CLIENT NAME=VALUE...
// reads a list of attributes.
func answer(c *client, words []string) error {
	list, err := attributes(words)
	if err != nil {
		return err
	}
	return c.expect(list)
}

// closed CLIENT
// waits until the daemon closes the connection, with nothing more to say.
func closed(c *client, _ []string) error {
	var buf [1]byte
	n, err := c.read(buf[:])
	if n > 0 {
		return fmt.Errorf("the daemon sent %q", buf[:n])
	}
	if err == unix.ECONNRESET { // it had not read everything
		err = nil
	}
	return err
}

func attributes(words []string) (string, error) {
	var list []byte
	for _, word := range words {
		name, value, ok := strings.Cut(word, "=")
		if !ok {
			return "", usage("client name=value ...")
		}
		list = attrproto.AppendString(list, unescape(name), unescape(value))
	}
	return string(attrproto.AppendEnd(list)), nil
}

func (c *client) write(text string) error {
	for len(text) > 0 {
		n, err := unix.SendmsgN(c.fd, []byte(text), nil, nil, unix.MSG_NOSIGNAL)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("send: %w", err)
		}
		text = text[n:]
	}
	return nil
}

func (c *client) read(p []byte) (int, error) {
	for {
		n, err := unix.Read(c.fd, p)
		if err != unix.EINTR {
			return n, err
		}
	}
}

func (c *client) expect(want string) error {
	got := make([]byte, 0, len(want))
	for len(got) < len(want) {
		n, err := c.read(got[len(got):len(want)])
		if err != nil || n == 0 {
			return fmt.Errorf("expected %q, the daemon sent %q and no more (%v)", want, got, err)
		}
		got = got[:len(got)+n]
	}
	if string(got) != want {
		return fmt.Errorf("expected %q, the daemon sent %q", want, got)
	}
	return nil
}
