package session

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// TCP returns a session over the loopback interface.
func TCP() (*Session, error) {
	listener, err := tcpSocket()
	if err != nil {
		return nil, err
	}
	defer unix.Close(listener)
	if err := unix.Bind(listener, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return nil, fmt.Errorf("bind: %w", err)
	}
	if err := unix.Listen(listener, 1); err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	address, err := unix.Getsockname(listener)
	if err != nil {
		return nil, fmt.Errorf("getsockname: %w", err)
	}
	local, err := connectTCP(address)
	if err != nil {
		return nil, err
	}
	remote, _, err := unix.Accept4(listener, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
	if err != nil {
		unix.Close(local)
		return nil, fmt.Errorf("accept: %w", err)
	}
	return newSession(local, remote)
}

func tcpSocket() (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("socket: %w", err)
	}
	return fd, nil
}

// connectTCP returns a connected socket that does not block.
func connectTCP(address unix.Sockaddr) (int, error) {
	fd, err := tcpSocket()
	if err != nil {
		return -1, err
	}
	if err := unix.Connect(fd, address); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("connect: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("set non-blocking: %w", err)
	}
	return fd, nil
}
