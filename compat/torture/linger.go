package torture

import (
	"fmt"

	"golang.org/x/sys/unix"

	"scache/compat/wire"
)

// tcp is a session whose remote end lives as long as the attack.
func (a *Arena) tcp() (session int, err error) {
	s, err := wire.TCP()
	if err != nil {
		return -1, err
	}
	a.keep(s.Remote)
	return s.Local, nil
}

// lingerSeconds is how long the last close of a lingering socket takes if
// nothing ends it: longer than anybody waits for an answer.
const lingerSeconds = 30

// lingering is a session with data that the remote end does not take, and whose
// last close waits for that. Its caller makes sure that the last close is not
// its own.
func (a *Arena) lingering() (session int, err error) {
	if session, err = a.tcp(); err != nil {
		return -1, err
	}
	const little = 4096 // is enough, and soon sent
	if err := unix.SetsockoptInt(session, unix.SOL_SOCKET, unix.SO_SNDBUF, little); err != nil {
		unix.Close(session)
		return -1, fmt.Errorf("send buffer: %w", err)
	}
	chunk := make([]byte, little)
	for {
		_, err := unix.SendmsgN(session, chunk, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		if err == unix.EAGAIN {
			break
		}
		if err != nil && err != unix.EINTR {
			unix.Close(session)
			return -1, fmt.Errorf("fill send queue: %w", err)
		}
	}
	linger := unix.Linger{Onoff: 1, Linger: lingerSeconds}
	if err := unix.SetsockoptLinger(session, unix.SOL_SOCKET, unix.SO_LINGER, &linger); err != nil {
		unix.Close(session)
		return -1, fmt.Errorf("linger: %w", err)
	}
	return session, nil
}
