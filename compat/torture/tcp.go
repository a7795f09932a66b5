package torture

import (
	"fmt"

	"golang.org/x/sys/unix"
)

var loopback = [4]byte{127, 0, 0, 1}

// listenTCP listens on a port that the kernel chose.
func listenTCP() (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 4096) // little is needed to fill it
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrInet4{Addr: loopback})
	}
	if err == nil {
		err = unix.Listen(fd, 1)
	}
	if err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("listen: %w", err)
	}
	return fd, nil
}

// connectTCP is a session over TCP and its remote end, both blocking. The
// caller owns them.
func connectTCP() (session, remote int, err error) {
	listener, err := listenTCP()
	if err != nil {
		return -1, -1, err
	}
	defer unix.Close(listener)
	address, err := unix.Getsockname(listener)
	if err != nil {
		return -1, -1, fmt.Errorf("getsockname: %w", err)
	}
	session, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, -1, fmt.Errorf("socket: %w", err)
	}
	if err = unix.Connect(session, address); err == nil {
		remote, _, err = unix.Accept4(listener, unix.SOCK_CLOEXEC)
	}
	if err != nil {
		unix.Close(session)
		return -1, -1, fmt.Errorf("connect: %w", err)
	}
	return session, remote, nil
}

// tcp is a session whose remote end lives as long as the attack.
func (a *Arena) tcp() (session int, err error) {
	session, remote, err := connectTCP()
	if err == nil {
		a.keep(remote)
	}
	return session, err
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
