package torture

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"scache/compat/wire"
)

// closeAttacks are about sessions that take their time to be closed, or to be
// looked at.
func closeAttacks() []Attack {
	return []Attack{
		{Name: "sessions that linger when they are closed", Hurts: true, Strike: lingeringSessions},
		{Name: "sessions that linger, hidden in a session's queue", Hurts: true, Strike: lingeringInQueue},
		{Name: "sessions that linger, among what nobody has read", Hurts: true, Strike: lingeringUnread},
		{Name: "a session that another process keeps locked", Strike: lockedSession},
	}
}

// expiry is how long it takes until a session with a ttl of one second is gone.
const expiry = 2200 * time.Millisecond

// lingeringSessions expire together, and files after them, whose close waits
// its turn with them.
func lingeringSessions(a *Arena) error {
	c, err := a.greeted()
	if err != nil {
		return err
	}
	before, err := a.Daemon.Descriptors()
	if err != nil {
		return err
	}
	for range a.size(100, 2000) {
		session, err := a.lingering()
		if err != nil {
			return err
		}
		err = c.Save("linger", "1", session)
		unix.Close(session)
		if err != nil {
			return err
		}
	}
	file, err := unix.Open("/", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(file)
	for range 40 {
		if err := c.Save("file", "1", file); err != nil {
			return err
		}
	}
	pause(a.ctx, expiry)
	// That nobody has to wait for a close is no reason to put it off.
	const good = 3 // come and go
	left := 0
	if eventually(patience, func() bool {
		now, err := a.Daemon.Descriptors()
		left = len(now) - len(before)
		return err != nil || left <= good
	}) {
		return nil
	}
	return fmt.Errorf("%d sessions are not closed yet", left)
}

// lingeringInQueue saves UNIX-domain sockets, each with a lingering socket among
// what it has received: it is closed with them.
func lingeringInQueue(a *Arena) error {
	c, err := a.greeted()
	if err != nil {
		return err
	}
	for range 40 {
		s, err := wire.Pair()
		if err != nil {
			return err
		}
		hidden, err := a.lingering()
		if err == nil {
			err = s.Say("x", hidden)
			unix.Close(hidden)
		}
		if err == nil {
			err = c.Save("queue", "1", s.Local)
		}
		s.Close()
		if err != nil {
			return err
		}
	}
	pause(a.ctx, expiry)
	return nil
}

// lingeringUnread sends a lingering socket to a daemon that has stopped reading
// from this client, since it does not read either, and goes away.
func lingeringUnread(a *Arena) error {
	c, err := a.dial()
	if err != nil {
		return err
	}
	defer c.Close()
	fill(a.ctx, c)
	hidden, err := a.lingering()
	if err != nil {
		return err
	}
	defer unix.Close(hidden)
	if err := c.Send("x", hidden); err != nil {
		return fmt.Errorf("send a descriptor that is not read: %w", err)
	}
	return nil
}

// lockedSession saves a socket whose lock somebody holds: a process that has the
// same socket, receives, and stops in the middle of it.
func lockedSession(a *Arena) error {
	s, err := wire.TCP()
	if err != nil {
		return err
	}
	a.keep(s.Local, s.Remote)
	if err := s.Say("x"); err != nil {
		return err
	}
	trap, err := wire.NewTrap()
	if err != nil {
		a.remark("not possible here: %v", err)
		return nil
	}
	defer trap.Release()
	a.background.Go(func() { trap.Receive(s.Local) })
	if !eventually(patience, trap.Sprung) {
		return fmt.Errorf("nobody is in the trap")
	}
	c, err := a.greeted()
	if err != nil {
		return err
	}
	if err := c.Save("locked", "2", s.Local); err != nil {
		return err
	}
	// It has something to say, so it is not handed out, unless nobody looks.
	if err := c.Send(wire.FindEndpoint("locked")); err != nil {
		return err
	}
	pause(a.ctx, time.Second)
	return nil
}
