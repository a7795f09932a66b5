package scripts

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"scache/compat/wire"
)

// session returns the SMTP session with that name.
func (c *call) session(name string) (*wire.Session, error) {
	if s := c.sessions[name]; s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("no session %s", name)
}

// session [-tcp] [-blocking] NAME...
// makes connections that can be given to the daemon.
func newSession(c *call) error {
	open, blocking := wire.Pair, false
	for ; len(c.args) > 0 && strings.HasPrefix(c.args[0], "-"); c.args = c.args[1:] {
		switch c.args[0] {
		case "-tcp":
			open = wire.TCP
		case "-blocking":
			blocking = true
		default:
			return usage("session [-tcp] [-blocking] name ...")
		}
	}
	for _, name := range c.args {
		if old := c.sessions[name]; old != nil {
			old.Close()
		}
		s, err := open()
		if err != nil {
			return err
		}
		c.sessions[name] = s
		if err := unix.SetNonblock(s.Local, !blocking); err != nil {
			return err
		}
	}
	return nil
}

// give [-bytes TEXT] CLIENT SESSION...
// sends a byte (or a text) to the daemon, with the sessions' local ends, which
// are closed here.
func give(c *call) error {
	text := "\x00"
	if len(c.args) > 1 && c.args[0] == "-bytes" {
		text, c.args = unescape(c.args[1]), c.args[2:]
	}
	client, err := c.client()
	if err != nil {
		return err
	}
	var local []int
	for _, name := range c.args {
		s, err := c.session(name)
		if err != nil {
			return err
		}
		defer s.CloseLocal()
		local = append(local, s.Local)
	}
	return client.Send(text, local...)
}

// take [-blocking] CLIENT SESSION
// receives a NUL with one descriptor, which has to be that session.
func take(c *call) error {
	blocking := len(c.args) > 0 && c.args[0] == "-blocking"
	if blocking {
		c.args = c.args[1:]
	}
	client, err := c.client()
	if err != nil {
		return err
	}
	if len(c.args) != 1 {
		return usage("take [-blocking] client session")
	}
	s, err := c.session(c.args[0])
	if err != nil {
		return err
	}
	fd, err := client.ReceiveSession()
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		return err
	}
	if blocking != (flags&unix.O_NONBLOCK == 0) {
		return errors.New("the SMTP session's O_NONBLOCK has been changed")
	}
	return s.Verify(fd)
}

// say SESSION TEXT...
// makes the remote end of a session speak.
func say(c *call) error {
	if len(c.args) < 2 {
		return usage("say session text")
	}
	s, err := c.session(c.args[0])
	if err != nil {
		return err
	}
	return s.Say(unescape(strings.Join(c.args[1:], " ")))
}

// close SESSION...
// makes the remote ends of sessions hang up.
func closeSession(c *call) error {
	for _, name := range c.args {
		s, err := c.session(name)
		if err != nil {
			return err
		}
		s.CloseRemote()
	}
	return nil
}

// gone SESSION...
// waits until the daemon has closed sessions.
func gone(c *call) error {
	for _, name := range c.args {
		s, err := c.session(name)
		if err != nil {
			return err
		}
		if !waitUntil(s.Gone) {
			return fmt.Errorf("session %s is still open", name)
		}
	}
	return nil
}
