package torture

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"scache/compat/master"
)

// liveAttacks have sessions die in the cache.
func liveAttacks() []Attack {
	return []Attack{
		{Name: "sessions that the remote end has closed, reset or ended with 421", Hurts: true, Strike: deadBeforeLive},
		{Name: "the same without the live check", Strike: deadHandedOut,
			Options: master.Options{MainCF: "scached_live_check = no"}},
	}
}

// A death is how the remote end of a session ends it.
type death struct {
	name string
	die  func(remote int) error // takes ownership
}

var deaths = []death{
	{"closed", unix.Close},
	{"reset", func(remote int) error {
		err := unix.SetsockoptLinger(remote, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
		return errors.Join(err, unix.Close(remote))
	}},
	{"ended with 421", func(remote int) error {
		return errors.Join(send(remote, "421 timeout\r\n"), unix.Close(remote))
	}},
}

// saveDead saves a session and lets it die.
func (a *Arena) saveDead(fd int, d death) error {
	session, remote, err := connectTCP()
	if err != nil {
		return err
	}
	defer unix.Close(session)
	if err := save(fd, d.name, "2", session); err != nil {
		unix.Close(remote)
		return err
	}
	if err := d.die(remote); err != nil {
		return err
	}
	if !eventually(patience, func() bool { return readable(session) }) {
		return errors.New("the SMTP session does not see its end")
	}
	return nil
}

// deadBeforeLive has dead sessions in front of a live one: that is what a client
// has to get.
func deadBeforeLive(a *Arena) error {
	fd, err := a.greeted()
	if err != nil {
		return err
	}
	var errs []error
	for _, d := range deaths {
		if err := errors.Join(a.saveDead(fd, d), a.saveDead(fd, d)); err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		session, remote, err := connectTCP()
		if err != nil {
			return err
		}
		a.keep(session, remote)
		if err := save(fd, d.name, "2", session); err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		got, err := find(fd, d.name)
		if err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		if !sameDescription(got, session) {
			errs = append(errs, fmt.Errorf("handed out a session that was %s", d.name))
		}
		unix.Close(got)
	}
	return errors.Join(errs...)
}

// deadHandedOut expects what the reference does.
func deadHandedOut(a *Arena) error {
	fd, err := a.greeted()
	if err != nil {
		return err
	}
	for _, d := range deaths {
		if err := a.saveDead(fd, d); err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		got, err := find(fd, d.name)
		if err != nil {
			return fmt.Errorf("a session that was %s: %w", d.name, err)
		}
		unix.Close(got)
	}
	return nil
}
