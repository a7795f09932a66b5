package wire

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// ListenTCP listens on a port of the loopback interface that the kernel chooses.
// The caller owns the descriptor. What is connected to it has a small receive
// buffer, so that little is needed to fill it.
func ListenTCP(backlog int) (int, error) {
	fd, err := tcpSocket()
	if err != nil {
		return -1, err
	}
	const small = 4096
	err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, small)
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	}
	if err == nil {
		err = unix.Listen(fd, backlog)
	}
	if err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("listen: %w", err)
	}
	return fd, nil
}

// TCP returns a session over the loopback interface.
func TCP() (*Session, error) {
	listener, err := ListenTCP(1)
	if err != nil {
		return nil, err
	}
	defer unix.Close(listener)
	address, err := unix.Getsockname(listener)
	if err != nil {
		return nil, fmt.Errorf("getsockname: %w", err)
	}
	local, err := ConnectTCP(address)
	if err != nil {
		return nil, err
	}
	remote, _, err := unix.Accept4(listener, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
	if err != nil {
		unix.Close(local)
		return nil, fmt.Errorf("accept: %w", err)
	}
	s, err := newSession(local, remote)
	if err == nil {
		s.tcp = true
	}
	return s, err
}

// wait waits until what the remote end has done has reached the local end: even
// on one machine, packets may take their time.
func (s *Session) wait(done func() bool) {
	for deadline := time.Now().Add(tokenPatience); !done() && time.Now().Before(deadline); {
		time.Sleep(100 * time.Microsecond)
	}
}

// hungUp tells whether the local end has acknowledged the end of input.
func (s *Session) hungUp() bool {
	const established, finWait1 = 1, 4 // include/net/tcp_states.h in Linux
	info, err := unix.GetsockoptTCPInfo(s.Remote, unix.IPPROTO_TCP, unix.TCP_INFO)
	return err != nil || info.State != established && info.State != finWait1
}

// acknowledged tells whether the local end has acknowledged all there was.
func (s *Session) acknowledged() bool {
	unsent, err := unix.IoctlGetInt(s.Remote, unix.TIOCOUTQ)
	return err != nil || unsent == 0
}

func tcpSocket() (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("socket: %w", err)
	}
	return fd, nil
}

// ConnectTCP returns a connected socket that does not block. The caller owns the
// descriptor. The address may be in use by several goroutines.
func ConnectTCP(address unix.Sockaddr) (int, error) {
	if shared, ok := address.(*unix.SockaddrInet4); ok {
		address = &unix.SockaddrInet4{Port: shared.Port, Addr: shared.Addr} // a call writes into it
	}
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
