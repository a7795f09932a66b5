package torture

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"scache/compat/master"
	"scache/compat/wire"
)

// A message is one wrong way to send a descriptor. It borrows the SMTP session.
type message struct {
	name  string
	hurts bool
	send  func(c *wire.Client, session, i int) error
}

// messageAttacks send descriptors in thousands of messages in which they have
// no place. The daemon has to close every one of them.
func messageAttacks() []Attack {
	var attacks []Attack
	for _, m := range []message{
		{"10,000 messages with surplus descriptors", true, surplus},
		{"10,000 descriptors at the wrong moment", false, wrongMoment},
		{"10,000 descriptors glued to data", false, glued},
		{"10,000 messages with several control messages", true, severalControl},
		{"10,000 messages with credentials", false, credentials},
		{"10,000 descriptors that do not come", false, nothingSent},
	} {
		attacks = append(attacks, Attack{Name: m.name, Hurts: m.hurts, Strike: m.strike, Greedy: true})
	}
	// Where there is room for few, the kernel cuts off what it cannot deliver.
	few := message{"", true, surplus}
	return append(attacks, Attack{Name: "surplus descriptors, room for 64", Hurts: true, GivesUp: true, Greedy: true,
		Options: master.Options{NoFile: 64}, Strike: few.strike})
}

func (m message) strike(a *Arena) error {
	s, err := wire.Pair()
	if err != nil {
		return err
	}
	defer s.CloseLocal()
	a.keep(s.Remote)
	var c *wire.Client
	defer func() {
		if c != nil {
			c.Close()
		}
	}()
	n := a.size(500, 10000)
	for i := range n {
		if c == nil {
			if c, err = wire.DialGreeted(a.Daemon.Socket(), patience); err != nil {
				return fmt.Errorf("message %d: %w", i, err)
			}
		}
		err := m.send(c, s.Local, i)
		if turnedAway(err) {
			c.Close()
			c = nil
		} else if err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
	}
	return nil
}

// turnedAway tells that the daemon has disconnected a client that does not keep to
// the protocol, or does not let it send descriptors (SO_PASSRIGHTS).
func turnedAway(err error) bool {
	for _, expected := range []error{wire.ErrEnded, unix.EPIPE, unix.ECONNRESET, unix.EPERM} {
		if errors.Is(err, expected) {
			return true
		}
	}
	return false
}

// owe makes the daemon wait for a descriptor.
func owe(c *wire.Client) error { return c.Ask(wire.SaveEndpoint("x", "1"), wire.Dummy) }

// surplus sends too many. Only some messages have as many as there can be: it
// takes the kernel long to copy them.
func surplus(c *wire.Client, session, i int) error {
	n := 2 + i%5
	if i%100 == 0 {
		n = wire.MostInMessage
	}
	if err := owe(c); err != nil {
		return err
	}
	if err := c.SendControl("\x00", wire.Same(session, n)); err != nil {
		return err
	}
	return c.Expect(wire.Failed)
}

// wrongMoment sends one with a request, and with what answers a dummy. One
// that comes with the request for its session is not the one that is due.
func wrongMoment(c *wire.Client, session, i int) error {
	one := wire.Rights(session)
	if i%3 == 0 {
		if err := c.SendControl(wire.SaveEndpoint("x", "1"), one); err != nil {
			return err
		}
		if err := c.Expect(wire.Dummy); err != nil {
			return err
		}
		return c.Ask("\x00", wire.Failed)
	}
	request, answer := wire.FindEndpoint("nothing"), wire.Missed
	if i%3 == 1 {
		request, answer = wire.List("request", "bogus"), wire.List("status", "1")
	}
	if err := c.SendControl(request, one); err != nil {
		return err
	}
	return c.Expect(answer)
}

// glued sends the next request in the same message as the descriptor that is
// due, and a descriptor in the middle of a request.
func glued(c *wire.Client, session, i int) error {
	one := wire.Rights(session)
	if i%2 == 0 {
		request := wire.FindEndpoint("nothing")
		if err := c.Send(request[:9]); err != nil {
			return err
		}
		if err := c.SendControl(request[9:], one); err != nil {
			return err
		}
		return c.Expect(wire.Missed)
	}
	if err := owe(c); err != nil {
		return err
	}
	if err := c.SendControl("\x00"+wire.FindEndpoint("nothing"), one); err != nil {
		return err
	}
	return c.Expect(wire.Done + wire.Missed)
}

// severalControl sends descriptors in two control messages, and credentials
// beside a descriptor.
func severalControl(c *wire.Client, session, i int) error {
	if err := owe(c); err != nil {
		return err
	}
	one := wire.Rights(session)
	control, answer := append(one, one...), wire.Failed
	if i%2 == 0 {
		control, answer = append(ourCredentials(), one...), wire.Done
	}
	if err := c.SendControl("\x00", control); err != nil {
		return err
	}
	return c.Expect(answer)
}

func ourCredentials() []byte {
	return unix.UnixCredentials(&unix.Ucred{Pid: int32(unix.Getpid()), Uid: uint32(unix.Getuid()), Gid: uint32(unix.Getgid())})
}

func credentials(c *wire.Client, session, i int) error {
	if err := owe(c); err != nil {
		return err
	}
	if err := c.SendControl("\x00", ourCredentials()); err != nil {
		return err
	}
	return c.Expect(wire.Failed)
}

func nothingSent(c *wire.Client, session, i int) error {
	if err := owe(c); err != nil {
		return err
	}
	return c.Ask("\x00", wire.Failed)
}
