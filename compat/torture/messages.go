package torture

import (
	"fmt"

	"golang.org/x/sys/unix"

	"scache/compat/master"
)

// A message is one wrong way to send a descriptor. It borrows the SMTP session.
type message struct {
	name  string
	hurts bool
	send  func(fd, session, i int) error
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
	session, remote, err := pair()
	if err != nil {
		return err
	}
	defer unix.Close(session)
	a.keep(remote)
	fd, err := a.greeted()
	if err != nil {
		return err
	}
	n := a.size(500, 10000)
	for i := range n {
		if err := m.send(fd, session, i); err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
	}
	return nil
}

// owe makes the daemon wait for a descriptor.
func owe(fd int) error { return ask(fd, saveEndpoint("x", "1"), dummy) }

// surplus sends too many. Only some messages have as many as there can be: it
// takes the kernel long to copy them.
func surplus(fd, session, i int) error {
	n := 2 + i%5
	if i%100 == 0 {
		n = mostInMessage
	}
	if err := owe(fd); err != nil {
		return err
	}
	if err := sendWith(fd, "\x00", rights(session, n)); err != nil {
		return err
	}
	return expect(fd, failed)
}

// wrongMoment sends one with a request, and with what answers a dummy. One
// that comes with the request for its session is not the one that is due.
func wrongMoment(fd, session, i int) error {
	one := rights(session, 1)
	if i%3 == 0 {
		if err := sendWith(fd, saveEndpoint("x", "1"), one); err != nil {
			return err
		}
		if err := expect(fd, dummy); err != nil {
			return err
		}
		return ask(fd, "\x00", failed)
	}
	request, answer := findEndpoint("nothing"), missed
	if i%3 == 1 {
		request, answer = list("request", "bogus"), list("status", "1")
	}
	if err := sendWith(fd, request, one); err != nil {
		return err
	}
	return expect(fd, answer)
}

// glued sends the next request in the same message as the descriptor that is
// due, and a descriptor in the middle of a request.
func glued(fd, session, i int) error {
	one := rights(session, 1)
	if i%2 == 0 {
		request := findEndpoint("nothing")
		if err := send(fd, request[:9]); err != nil {
			return err
		}
		if err := sendWith(fd, request[9:], one); err != nil {
			return err
		}
		return expect(fd, missed)
	}
	if err := owe(fd); err != nil {
		return err
	}
	if err := sendWith(fd, "\x00"+findEndpoint("nothing"), one); err != nil {
		return err
	}
	return expect(fd, done+missed)
}

// severalControl sends descriptors in two control messages, and credentials
// beside a descriptor.
func severalControl(fd, session, i int) error {
	if err := owe(fd); err != nil {
		return err
	}
	one := rights(session, 1)
	control, answer := append(one, one...), failed
	if i%2 == 0 {
		control, answer = append(ourCredentials(), one...), done
	}
	if err := sendWith(fd, "\x00", control); err != nil {
		return err
	}
	return expect(fd, answer)
}

func ourCredentials() []byte {
	return unix.UnixCredentials(&unix.Ucred{Pid: int32(unix.Getpid()), Uid: uint32(unix.Getuid()), Gid: uint32(unix.Getgid())})
}

func credentials(fd, session, i int) error {
	if err := owe(fd); err != nil {
		return err
	}
	if err := sendWith(fd, "\x00", ourCredentials()); err != nil {
		return err
	}
	return expect(fd, failed)
}

func nothingSent(fd, session, i int) error {
	if err := owe(fd); err != nil {
		return err
	}
	return ask(fd, "\x00", failed)
}
