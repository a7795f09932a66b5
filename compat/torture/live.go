package torture

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"scache/compat/master"
	"scache/compat/wire"
)

// liveAttacks have sessions die in the cache.
func liveAttacks() []Attack {
	return []Attack{
		{Name: "sessions that the remote end has closed, reset or ended with 421", Hurts: true, Strike: deadBeforeLive},
		{Name: "the same without the live check", Strike: deadHandedOut,
			Options: master.Options{MainCF: "scached_live_check = no"}},
		{Name: "sessions that only one look can tell are of no use", Hurts: true, Strike: useless},
	}
}

// A death is how the remote end of a session ends it.
type death struct {
	name string
	die  func(*wire.Session) error
}

var deaths = []death{
	{"closed", func(s *wire.Session) error { s.CloseRemote(); return nil }},
	{"reset", func(s *wire.Session) error {
		err := unix.SetsockoptLinger(s.Remote, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
		err = errors.Join(err, unix.Close(s.Remote))
		s.Remote = -1
		return err
	}},
	{"ended with 421", func(s *wire.Session) error {
		err := s.Say("421 timeout\r\n")
		s.CloseRemote()
		return err
	}},
}

// saveDead saves a session and lets it die.
func (a *Arena) saveDead(c *wire.Client, d death) error {
	s, err := wire.TCP()
	if err != nil {
		return err
	}
	defer s.Close()
	if err := c.Save(d.name, "2", s.Local); err != nil {
		return err
	}
	if err := d.die(s); err != nil {
		return err
	}
	if !eventually(patience, func() bool { return wire.Readable(s.Local) }) {
		return errors.New("a session does not see its end")
	}
	return nil
}

// deadBeforeLive has dead sessions in front of a live one: that is what a client
// has to get.
func deadBeforeLive(a *Arena) error {
	c, err := a.greeted()
	if err != nil {
		return err
	}
	var errs []error
	for _, d := range deaths {
		if err := errors.Join(a.saveDead(c, d), a.saveDead(c, d)); err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		s, err := wire.TCP()
		if err != nil {
			return err
		}
		a.keep(s.Local, s.Remote)
		if err := c.Save(d.name, "2", s.Local); err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		got, err := c.Find(d.name)
		if err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		if !sameDescription(got, s.Local) {
			errs = append(errs, fmt.Errorf("handed out a session that was %s", d.name))
		}
		unix.Close(got)
	}
	return errors.Join(errs...)
}

// deadHandedOut expects what the reference does.
func deadHandedOut(a *Arena) error {
	c, err := a.greeted()
	if err != nil {
		return err
	}
	for _, d := range deaths {
		if err := a.saveDead(c, d); err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		got, err := c.Find(d.name)
		if err != nil {
			return fmt.Errorf("a session that was %s: %w", d.name, err)
		}
		unix.Close(got)
	}
	return nil
}

// uses are what makes a session useless, and can be seen at once. That it was shut
// down for writing cannot: one would have to wait for its lock.
var uses = []death{
	{"spoken to with an urgent byte", func(s *wire.Session) error {
		err := unix.Sendto(s.Remote, []byte("!"), unix.MSG_OOB, nil)
		if err == nil && !eventually(patience, func() bool { return wire.Urgent(s.Local) }) {
			err = errors.New("the urgent byte does not arrive")
		}
		return err
	}},
	{"spoken to in less than SO_RCVLOWAT", func(s *wire.Session) error {
		return errors.Join(unix.SetsockoptInt(s.Local, unix.SOL_SOCKET, unix.SO_RCVLOWAT, 1000), s.Say("421 timeout\r\n"))
	}},
	{"not connected", func(s *wire.Session) (err error) {
		s.CloseLocal()
		s.Local, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		return err
	}},
}

// useless saves sessions in which no answer will ever come to what smtp(8) says.
func useless(a *Arena) error {
	c, err := a.greeted()
	if err != nil {
		return err
	}
	var errs []error
	for _, use := range uses {
		s, err := wire.TCP()
		if err != nil {
			return err
		}
		err = use.die(s)
		if err == nil {
			err = c.Save(use.name, "2", s.Local)
		}
		if err == nil {
			var got int
			switch got, err = c.Find(use.name); {
			case errors.Is(err, wire.ErrMissed):
				err = nil
			case err == nil:
				unix.Close(got)
				errs = append(errs, fmt.Errorf("handed out a session that was %s", use.name))
			}
		}
		s.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", use.name, err)
		}
	}
	return errors.Join(errs...)
}
