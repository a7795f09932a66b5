package torture

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"scache/compat/master"
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
			After:  saysSo("short of descriptors or at a limit: gave up "),
		})
	}
	return append(attacks,
		Attack{Name: "more sessions than are allowed", GivesUp: true, Hurts: true,
			Options: master.Options{MainCF: "connection_cache_ttl_limit = 4s\nscached_session_limit = 50\nscached_endpoint_session_limit = 20\n"},
			Strike:  tooManySessions, After: saysSo("short of descriptors or at a limit: gave up ")},
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
	fd, err := a.greeted()
	if err != nil {
		return err
	}
	if err := ask(fd, saveEndpoint("many", "10"), dummy); err != nil {
		return err
	}
	session, remote, err := pair()
	if err != nil {
		return err
	}
	defer unix.Close(session)
	defer unix.Close(remote)
	if err := sendWith(fd, "\x00", rights(session, mostInMessage)); err != nil {
		return err
	}
	if err := expect(fd, failed); err != nil {
		return err
	}
	if limit > 2*mostInMessage {
		return nil
	}
	return a.logs("unable to receive file descriptor: Too many open files")
}

// saveAndForget saves a session whose remote end is open no longer.
func saveAndForget(fd int, label, ttl string) error {
	session, remote, err := pair()
	if err != nil {
		return err
	}
	defer unix.Close(session)
	defer unix.Close(remote)
	return save(fd, label, ttl, session)
}

// mostInMessage is the most descriptors that the kernel lets into one message
// (SCM_MAX_FD).
const mostInMessage = 253

// rights is a control message with the same descriptor n times.
func rights(fd, n int) []byte {
	fds := make([]int, n)
	for i := range fds {
		fds[i] = fd
	}
	return unix.UnixRights(fds...)
}

// logs waits until the daemon has logged something.
func (a *Arena) logs(text string) error {
	_, err := a.Daemon.WaitLog(text, patience)
	return err
}

// saysSo looks whether the log tells of a shortage, and not too often.
func saysSo(text string) func(*Arena) error {
	return func(a *Arena) error {
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
	fd, err := a.greeted()
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
		if err := saveAndForget(fd, label, "4"); err != nil {
			return fmt.Errorf("session %d: %w", i, err)
		}
	}
	after, err := a.Daemon.Descriptors()
	if err != nil {
		return err
	}
	const allowed, good = 50, 3 // those of a good client come and go
	if n := len(after) - len(before); n > allowed+good {
		return fmt.Errorf("%d sessions, not %d", n, allowed)
	}
	return nil
}

func manyClients(a *Arena) error {
	fds, err := a.crowd(a.size(2000, 10000), a.connect)
	if err != nil {
		return err
	}
	// The newest is served whatever became of the oldest.
	last := fds[len(fds)-1]
	if err := expect(last, greeting); err != nil {
		return err
	}
	return ask(last, findEndpoint("nothing"), missed)
}

// inFlight lets hand-overs pile up in the sockets of clients that say that they
// have the SMTP session while they do not read. What is in flight counts against the
// limit of the user that the daemon runs as (ETOOMANYREFS).
func inFlight(a *Arena) error {
	saver, err := a.greeted()
	if err != nil {
		return err
	}
	var taker int
	for i := range 150 {
		if i%60 == 0 {
			// A socket holds some hundred replies.
			if taker, err = a.connect(); err != nil {
				return err
			}
		}
		label := fmt.Sprint("in flight ", i)
		session, remote, err := pair()
		if err != nil {
			return err
		}
		a.keep(remote)
		err = save(saver, label, "2", session)
		unix.Close(session)
		if err != nil {
			return err
		}
		for _, step := range []string{findEndpoint(label), dummy, dummy} {
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
func sendRead(fd int, data string) error {
	if err := send(fd, data); err != nil {
		return err
	}
	if !eventually(patience, func() bool { return queued(fd) == 0 }) {
		return fmt.Errorf("%q was not read", data)
	}
	return nil
}
