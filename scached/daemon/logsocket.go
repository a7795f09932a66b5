package daemon

import (
	"time"

	"golang.org/x/sys/unix"
)

// logPatience is how long a log service may hold us up: in any second, and not
// at all while it is stuck.
const logPatience = 100 * time.Millisecond

// A logSocket sends records to a datagram socket that other people look after:
// it may be missing, full, or be created anew at any time.
type logSocket struct {
	fd    int // owned; -1 before the first open
	path  string
	peer  unix.Sockaddr // of path
	lost  int           // records that could not be sent and that nobody was told of
	stuck bool          // the service took nothing for all our patience

	// How long the service has held us up in the second that began at since, and
	// how long it may.
	since    time.Time
	waited   time.Duration
	patience time.Duration
}

// open connects to the service at path, and to no other: a datagram socket that
// cannot be connected anew would go on sending to where it sent before.
func (s *logSocket) open(path string) {
	if s.fd >= 0 && path != s.path {
		unix.Close(s.fd)
		s.fd = -1
	}
	s.setPath(path)
	s.stuck = false
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

// lastChance is before the lines that a process ends with, which may take more
// time.
func (s *logSocket) lastChance() {
	s.stuck = false
	s.waited = 0
	s.patience = time.Second
}

// send reports whether the service has taken the record.
func (s *logSocket) send(record []byte) bool {
	if s.peer == nil {
		return false
	}
	if s.fd < 0 {
		s.open(s.path)
	}
	err := s.try(record)
	if err == unix.EAGAIN && s.await() {
		err = s.try(record)
	}
	if err != nil && err != unix.EAGAIN && s.connect() {
		// The service was restarted, or its socket appeared only now.
		err = s.try(record)
	}
	s.stuck = err == unix.EAGAIN
	return err == nil
}

func (s *logSocket) try(record []byte) error {
	for {
		err := unix.Send(s.fd, record, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		if err != unix.EINTR {
			return err
		}
	}
}

// await waits for room, as long as patience lasts.
func (s *logSocket) await() bool {
	if s.stuck {
		return false
	}
	start := time.Now()
	if start.Sub(s.since) >= time.Second {
		s.since, s.waited = start, 0
	}
	if s.waited >= s.patience {
		return false
	}
	ready := writable(s.fd, s.patience-s.waited)
	s.waited += time.Since(start)
	return ready
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
