package torture

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"scache/compat/master"
	"scache/compat/wire"
)

// quitAttacks are about sessions that are sent QUIT. The reference sends none.
func quitAttacks() []Attack {
	const on = "scached_quit = yes\nconnection_cache_ttl_limit = 600s\n"
	return []Attack{
		{Name: "QUIT in 2,000 sessions whose remote end never answers", Strike: neverAnswered(300, 2000),
			Options: master.Options{NoFile: 8192, MainCF: on}},
		{Name: "QUIT in sessions that another process keeps locked", Strike: lockedQuits,
			Options: master.Options{MainCF: on}},
		{Name: "SIGTERM with 18,000 sessions that are to end with QUIT", Ends: true, Alone: true, Strike: endQuits(1000, 18000),
			Options: master.Options{NoFile: 20000, MainCF: on + "scached_session_limit = 25000\nscached_endpoint_session_limit = 25000\n"}},
	}
}

const quitCommand = "QUIT\r\n"

// smtpSession is a request that saves a session as smtp(8) does.
func smtpSession(ttl string) string {
	return wire.List("request", "save_endp", "ttl", ttl, "label", "smtp\nquit\n", "property", "tls_level=0\nreuse_count=1\nendpoint_features=143\nexpire_time=1780000000\n\n")
}

// saveSMTP saves a session as smtp(8) does. It borrows the descriptor.
func saveSMTP(c *wire.Client, ttl string, session int) error {
	if err := c.Ask(smtpSession(ttl), wire.Dummy); err != nil {
		return err
	}
	if err := c.Send("\x00", session); err != nil {
		return err
	}
	return c.Expect(wire.Done)
}

// saveSilent saves so many sessions whose remote ends do nothing until the attack is
// over, and returns these.
func (a *Arena) saveSilent(c *wire.Client, n int, ttl string) (remotes []int, err error) {
	for i := range n {
		s, err := wire.TCP()
		if err != nil {
			return nil, err
		}
		a.keep(s.Remote)
		err = saveSMTP(c, ttl, s.Local)
		s.CloseLocal()
		if err != nil {
			return nil, fmt.Errorf("session %d: %w", i, err)
		}
		remotes = append(remotes, s.Remote)
	}
	return remotes, nil
}

// heardQuit tells whether QUIT has come, and nothing else.
func heardQuit(remote int) bool {
	var text [2 * len(quitCommand)]byte
	n, _, err := unix.Recvfrom(remote, text[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
	return err == nil && string(text[:n]) == quitCommand
}

// quitsHeard is in how many of the sessions QUIT has come.
func quitsHeard(remotes []int) (n int) {
	for _, remote := range remotes {
		if heardQuit(remote) {
			n++
		}
	}
	return n
}

// neverAnswered has sessions expire together. Each is sent QUIT, and is closed though
// no answer comes.
func neverAnswered(short, full int) func(*Arena) error {
	return func(a *Arena) error {
		c, err := a.greeted()
		if err != nil {
			return err
		}
		remotes, err := a.saveSilent(c, a.size(short, full), "3")
		if err != nil {
			return err
		}
		for i, remote := range remotes {
			if !eventually(patience+expiry, func() bool { return heardQuit(remote) }) {
				return fmt.Errorf("session %d of %d was not sent QUIT", i+1, len(remotes))
			}
		}
		return nil
	}
}

// lockedQuits has sessions expire whose lock another process holds, more than the
// daemon has threads that could wait for it; and others after them.
func lockedQuits(a *Arena) error {
	c, err := a.greeted()
	if err != nil {
		return err
	}
	release, err := a.saveLocked(c, 8)
	defer release()
	if err != nil {
		return err
	}
	if _, err := a.saveSilent(c, 200, "1"); err != nil {
		return err
	}
	pause(a.ctx, expiry+aftermath)
	return nil
}

// saveLocked saves sessions that are locked until release is called.
func (a *Arena) saveLocked(c *wire.Client, n int) (release func(), err error) {
	var traps []*wire.Trap
	release = func() {
		for _, trap := range traps {
			trap.Release()
		}
	}
	for range n {
		s, err := wire.TCP()
		if err != nil {
			return release, err
		}
		a.keep(s.Local, s.Remote)
		trap, err := wire.NewTrap()
		if err != nil {
			a.remark("not possible here: %v", err)
			return release, nil
		}
		traps = append(traps, trap)
		a.background.Go(func() { trap.Send(s.Local) })
		if !eventually(patience, trap.Sprung) {
			return release, errors.New("nobody is in the trap")
		}
		if err := saveSMTP(c, "1", s.Local); err != nil {
			return release, err
		}
	}
	return release, nil
}

// endQuits ends a daemon that has many sessions to say QUIT in. It does so in some,
// and takes no longer than it may.
func endQuits(short, full int) func(*Arena) error {
	return func(a *Arena) error {
		c, err := a.greeted()
		if err != nil {
			return err
		}
		remotes, err := a.saveSilent(c, a.size(short, full), "600")
		if err != nil {
			return err
		}
		if before := quitsHeard(remotes); before > 0 {
			return fmt.Errorf("QUIT in %d sessions before SIGTERM", before)
		}
		start := time.Now()
		if err := unix.Kill(a.Daemon.PID(), unix.SIGTERM); err != nil {
			return fmt.Errorf("end the daemon: %w", err)
		}
		state, err := a.Daemon.Wait(5 * patience)
		took := time.Since(start)
		if err != nil {
			return err
		}
		heard := quitsHeard(remotes)
		a.remark("ended after %v, QUIT in %d of %d sessions", took.Round(time.Millisecond), heard, len(remotes))
		switch limit := a.bound(2*time.Second, 1100*time.Millisecond); {
		case took > limit:
			return fmt.Errorf("the daemon took %v to end, more than %v", took, limit)
		case heard == 0:
			return errors.New("no session was sent QUIT")
		case !state.Success():
			return fmt.Errorf("the daemon ended with %v", state)
		}
		return nil
	}
}
