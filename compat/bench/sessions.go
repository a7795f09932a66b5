package bench

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// A connection is a TCP connection over the loopback interface, like one to a
// mail server that does not say anything.
type connection struct {
	near int // owned: the end that is saved in a cache, -1 when closed
	far  int // owned
}

// connect makes n connections, to a port that nobody else uses.
func connect(n int) (connections []connection, err error) {
	listener, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	defer unix.Close(listener)
	address := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	if err := unix.Bind(listener, address); err != nil {
		return nil, fmt.Errorf("bind: %w", err)
	}
	if err := unix.Listen(listener, 16); err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	bound, err := unix.Getsockname(listener)
	if err != nil {
		return nil, fmt.Errorf("getsockname: %w", err)
	}
	for range n {
		c, err := connectOne(listener, bound)
		if err != nil {
			disconnect(connections)
			return nil, err
		}
		connections = append(connections, c)
	}
	return connections, nil
}

func connectOne(listener int, address unix.Sockaddr) (c connection, err error) {
	if c.near, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return c, fmt.Errorf("socket: %w", err)
	}
	if err = retry(func() error { return unix.Connect(c.near, address) }); err != nil {
		unix.Close(c.near)
		return c, fmt.Errorf("connect to port %d: %w", address.(*unix.SockaddrInet4).Port, err)
	}
	err = retry(func() (err error) {
		c.far, _, err = unix.Accept4(listener, unix.SOCK_CLOEXEC)
		return err
	})
	if err != nil {
		unix.Close(c.near)
		return c, fmt.Errorf("accept: %w", err)
	}
	return c, nil
}

// leave closes the near end: what a cache was given is now the cache's alone.
func (c *connection) leave() {
	unix.Close(c.near)
	c.near = -1
}

// disconnect closes both ends. The far end is reset, so that nothing lingers
// in the kernel that a later measurement would have to share a port table with.
func disconnect(connections []connection) {
	for _, c := range connections {
		unix.SetsockoptLinger(c.far, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
		unix.Close(c.far)
		if c.near >= 0 {
			unix.Close(c.near)
		}
	}
}

// retry repeats a call that a signal interrupts.
func retry(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}
