package torture

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"scache/compat/master"
	"scache/compat/wire"
)

// floodAttacks use up what there is of descriptors and of places.
func floodAttacks() []Attack {
	const longLived = "connection_cache_ttl_limit = 10s\n"
	attacks := []Attack{}
	for _, limit := range []int{64, 256, 1024} {
		attacks = append(attacks, Attack{
			Name:    fmt.Sprintf("sessions and clients until %d descriptors are used up", limit),
			Options: master.Options{NoFile: limit, MainCF: longLived}, Hurts: true, GivesUp: true, Greedy: true,
			Settle: 12 * time.Second,
			Strike: func(a *Arena) error { return flood(a, limit) },
			After:  saysSo("limit on open files reached: "),
		})
	}
	return append(attacks,
		Attack{Name: "more sessions than are allowed", GivesUp: true, Hurts: true,
			Options: master.Options{MainCF: "connection_cache_ttl_limit = 4s\nscached_session_limit = 50\nscached_endpoint_session_limit = 20\n"},
			Strike:  tooManySessions, After: saysSo("session_limit reached: gave up ")},
		Attack{Name: "10,000 clients", Strike: manyClients, Greedy: true, Growth: 200 << 20,
			Options: master.Options{MainCF: "scached_client_limit = 5000"}},
		Attack{Name: "hand-overs that nobody takes, until too many are in flight", Strike: inFlight, Deprives: true,
			Options: master.Options{NoFile: 64}},
	)
}

// flood saves sessions that live long, and connects clients, twice as many as
// the daemon can have descriptors.
func flood(a *Arena, limit int) error {
	saver, err := a.greeted()
	if err != nil {
		return err
	}
	for i := range 2 * limit {
		if err := saveAndForget(saver, fmt.Sprint("flood ", i), "10"); err != nil {
			return fmt.Errorf("session %d: %w", i, err)
		}
	}
	if _, err := a.crowd(2*limit, a.connect); err != nil {
		return err
	}
	// A message with more descriptors than there is room for.
	c, err := a.greeted()
	if err != nil {
		return err
	}
	if err := c.Ask(wire.SaveEndpoint("many", "10"), wire.Dummy); err != nil {
		return err
	}
	s, err := wire.Pair()
	if err != nil {
		return err
	}
	defer s.Close()
	if err := c.SendControl("\x00", wire.Same(s.Local, wire.MostInMessage)); err != nil {
		return err
	}
	if err := c.Expect(wire.Failed); err != nil {
		return err
	}
	if limit > 2*wire.MostInMessage {
		return nil
	}
	return a.logs("unable to receive file descriptor: Too many open files")
}

// saveAndForget saves a session whose remote end is open no longer.
func saveAndForget(c *wire.Client, label, ttl string) error {
	s, err := wire.Pair()
	if err != nil {
		return err
	}
	defer s.Close()
	return c.Save(label, ttl, s.Local)
}

// logs waits until the daemon has logged something.
func (a *Arena) logs(text string) error {
	_, err := a.Daemon.WaitLog(text, patience)
	return err
}

// saysSo looks whether the log tells of a shortage, and not too often.
func saysSo(text string) func(*Arena) error {
	return func(a *Arena) error {
		a.Daemon.WaitLog(text, patience) // it may be a moment behind
		lines := a.Daemon.Log.Matching(text)
		if len(lines) == 0 {
			return fmt.Errorf("the log does not say %q", text)
		}
		if len(lines) > 2 {
			return fmt.Errorf("the log says %d times %q", len(lines), text)
		}
		return nil
	}
}

func tooManySessions(a *Arena) error {
	c, err := a.greeted()
	if err != nil {
		return err
	}
	before, err := a.Daemon.Descriptors()
	if err != nil {
		return err
	}
	for i := range 400 {
		label := "the same"
		if i%2 == 0 {
			label = fmt.Sprint("another ", i)
		}
		if err := saveAndForget(c, label, "4"); err != nil {
			return fmt.Errorf("session %d: %w", i, err)
		}
	}
	const allowed, good = 50, 3 // those of a good client come and go
	n := 0
	if !eventually(time.Second, func() bool { // some are still being closed
		var after map[int]string
		after, err = a.Daemon.Descriptors()
		n = len(after) - len(before)
		return err != nil || n <= allowed+good
	}) {
		return fmt.Errorf("%d sessions, not %d", n, allowed)
	}
	return err
}

func manyClients(a *Arena) error {
	clients, err := a.crowd(a.size(2000, 10000), a.connect)
	if err != nil {
		return err
	}
	// The newest is served whatever became of the oldest.
	last := clients[len(clients)-1]
	if err := last.Expect(wire.Greeting); err != nil {
		return err
	}
	return last.Ask(wire.FindEndpoint("nothing"), wire.Missed)
}

// inFlight lets hand-overs pile up in the sockets of clients that say that they
// have the SMTP session while they do not read. What is in flight counts against the
// limit of the user that the daemon runs as (ETOOMANYREFS).
func inFlight(a *Arena) error {
	saver, err := a.greeted()
	if err != nil {
		return err
	}
	var taker *wire.Client
	for i := range 150 {
		if i%60 == 0 {
			// A socket holds some hundred replies.
			if taker, err = a.connect(); err != nil {
				return err
			}
		}
		label := fmt.Sprint("in flight ", i)
		s, err := wire.Pair()
		if err != nil {
			return err
		}
		a.keep(s.Remote)
		err = saver.Save(label, "2", s.Local)
		s.CloseLocal()
		if err != nil {
			return err
		}
		for _, step := range []string{wire.FindEndpoint(label), wire.Dummy, wire.Dummy} {
			err := sendRead(taker, step)
			if errors.Is(err, unix.EPIPE) {
				// That is how it is told that it will not get what it waits for.
				return a.logs("cannot send file descriptor: Too many references")
			}
			if err != nil {
				return err
			}
		}
	}
	return a.logs("cannot send file descriptor: Too many references")
}

// sendRead sends something and waits until the daemon has read it.
func sendRead(c *wire.Client, data string) error {
	if err := c.Send(data); err != nil {
		return err
	}
	if !eventually(patience, func() bool { return c.Unread() == 0 }) {
		return fmt.Errorf("%q was not read", data)
	}
	return nil
}
