package torture

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"scache/compat/master"
	"scache/compat/wire"
)

// signalAttacks end the daemon, or try to, in the middle of hand-overs.
func signalAttacks() []Attack {
	signal := func(s unix.Signal) func(*Arena) error {
		return func(a *Arena) error { return unix.Kill(a.Daemon.PID(), s) }
	}
	hangUp := func(a *Arena) error { a.Daemon.HangUp(); return nil }
	return []Attack{
		{Name: "SIGTERM in the middle of hand-overs", Hurts: true, Ends: true, Strike: endPromised(signal(unix.SIGTERM))},
		{Name: "SIGHUP in the middle of hand-overs", Hurts: true, Ends: true, Strike: endPromised(signal(unix.SIGHUP))},
		{Name: "the master goes in the middle of hand-overs", Ends: true, Strike: endPromised(hangUp)},
		{Name: "SIGKILL in the middle of hand-overs", Ends: true, Strike: killPromised},
		{Name: "SIGPIPE", Strike: pipe},
		{Name: "a master that reads no status", Options: master.Options{NoDrain: true}, Strike: manyRequests, Hurts: true},
	}
}

// crowdPromised are clients that were told of a session each, whose remote ends
// are given as well. All belong to the arena. They are fewer than n when the
// daemon serves no others while it has promised something to one.
func (a *Arena) crowdPromised(n int) (clients []*wire.Client, sessions []*wire.Session, err error) {
	for i := range n {
		c, s, err := a.promisedFrom(fmt.Sprint("promised ", i))
		if errors.Is(err, wire.ErrNoAnswer) && i > 0 {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		clients, sessions = append(clients, c), append(sessions, s)
	}
	return clients, sessions, nil
}

// promises is how many hand-overs are under way.
const promises = 20

// endPromised makes the daemon end, and then takes what was promised.
func endPromised(end func(*Arena) error) func(*Arena) error {
	return func(a *Arena) error {
		clients, sessions, err := a.crowdPromised(promises)
		if err != nil {
			return err
		}
		n := len(clients)
		if err := end(a); err != nil {
			return err
		}
		taken := 0
		var last error
		for i, c := range clients {
			session, err := c.Take()
			if err == nil {
				err = sessions[i].Verify(session)
				unix.Close(session)
			}
			if err != nil {
				last = err
				continue
			}
			taken++
		}
		state, err := a.Daemon.Wait(patience)
		if err != nil {
			return err
		}
		a.remark("%d of %d promised sessions were handed over", taken, n)
		if taken < n {
			return fmt.Errorf("%d of %d promised sessions were handed over: %w", taken, n, last)
		}
		if !state.Success() {
			return fmt.Errorf("the daemon ended with %v", state)
		}
		// A daemon that has been told to go need not wait for the last word of a
		// client that has everything.
		return a.logs("statistics: address lookup hits=")
	}
}

// killPromised cannot expect anything of the daemon. But its clients must see
// that it is gone, so that they go on without it.
func killPromised(a *Arena) error {
	clients, _, err := a.crowdPromised(promises)
	if err != nil {
		return err
	}
	if err := a.Daemon.Kill(); err != nil {
		return err
	}
	for _, c := range clients {
		if !c.Ended(patience) {
			return fmt.Errorf("a client does not see that the daemon is gone")
		}
	}
	return nil
}

// pipe sends the signal itself; what causes it, a client that is gone when it
// is answered, is part of many attacks.
func pipe(a *Arena) error {
	for range 10 {
		if err := unix.Kill(a.Daemon.PID(), unix.SIGPIPE); err != nil {
			return err
		}
		pause(a.ctx, 10*time.Millisecond)
	}
	return nil
}

// manyRequests fill the status channel, which a master that is stuck does not
// empty.
func manyRequests(a *Arena) error {
	c, err := a.greeted()
	if err != nil {
		return err
	}
	for i := range 5000 {
		if err := c.Ask(wire.FindEndpoint("nothing"), wire.Missed); err != nil {
			return fmt.Errorf("request %d: %w", i, err)
		}
	}
	return nil
}
