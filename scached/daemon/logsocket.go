package daemon

import (
	"time"

	"golang.org/x/sys/unix"
)

// A logSocket sends records to a datagram socket that other people look after:
// it may be missing, full, or be created anew at any time. No method waits.
type logSocket struct {
	fd   int // owned; -1 before the first open
	path string
	peer unix.Sockaddr // of path
}

// open connects to the service at path, and to no other: a datagram socket that
// cannot be connected anew would go on sending to where it sent before.
func (s *logSocket) open(path string) {
	if s.fd >= 0 && path != s.path {
		unix.Close(s.fd)
		s.fd = -1
	}
	s.setPath(path)
	if s.fd < 0 {
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return
		}
		s.fd = fd
	}
	s.connect()
}

func (s *logSocket) setPath(path string) {
	if path != s.path {
		s.path, s.peer = path, &unix.SockaddrUnix{Name: path}
	}
}

// connect can be done over and over with the same descriptor, so that a service
// that comes back is found even when there are no descriptors left.
func (s *logSocket) connect() bool {
	_, err := retry(func() (int, error) { return 0, unix.Connect(s.fd, s.peer) })
	return err == nil
}

// send gives a record to the service. The error is unix.EAGAIN while the service
// has no room; then it has not got the record.
func (s *logSocket) send(record []byte) error {
	if s.peer == nil {
		return unix.ENOTCONN
	}
	if s.fd < 0 {
		s.open(s.path)
	}
	err := s.try(record)
	if err != nil && err != unix.EAGAIN && s.connect() {
		// The service was restarted, or its socket appeared only now.
		err = s.try(record)
	}
	return err
}

func (s *logSocket) try(record []byte) error {
	for {
		err := unix.Send(s.fd, record, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		if err != unix.EINTR {
			return err
		}
	}
}

// writable waits for a descriptor to take data, but no longer than patience.
func writable(fd int, patience time.Duration) bool {
	deadline := time.Now().Add(patience)
	for {
		fds := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		left := max(0, int(time.Until(deadline)/time.Millisecond))
		n, err := unix.Poll(fds[:], left)
		if err != unix.EINTR {
			return err == nil && n > 0
		}
	}
}

// pause waits. Unlike a timer of the Go runtime it needs no descriptors.
func pause(d time.Duration) {
	for deadline := time.Now().Add(d); ; {
		left := int((time.Until(deadline) + time.Millisecond - 1) / time.Millisecond) // or the last one would be spent computing
		if left <= 0 {
			return
		}
		unix.Poll(nil, left)
	}
}
