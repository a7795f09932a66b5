package server

import (
	"time"

	"golang.org/x/sys/unix"
)

// end makes the loop end, as soon as clients have what they were promised. From
// now on nobody is promised anything.
func (s *Server) end(why string) {
	if !s.ending.IsZero() {
		return
	}
	if s.config.Verbose {
		s.config.Log.Info(why)
	}
	s.ending = s.now.Add(drainTime)
	s.service.Forget()
	for _, fd := range append([]int{s.wake}, s.config.Listen...) {
		unix.EpollCtl(s.waiter.epoll, unix.EPOLL_CTL_DEL, fd, nil)
	}
	if s.config.Master >= 0 {
		unix.EpollCtl(s.waiter.epoll, unix.EPOLL_CTL_DEL, s.config.Master, nil)
	}
}

// promised tells whether a client is waiting for a session that it was told of.
func (s *Server) promised() bool {
	for c := s.busy.first; c != nil; c = c.next {
		if c.conn.HandingOver() {
			return true
		}
	}
	return false
}

// sayGoodbye answers the requests that have come, and ends all connections. A
// client that writes after that is told that nobody reads (EPIPE), and connects
// to the next process; smtp(8) logs any other error as a problem with the
// service. A client that has sent one request at a time gets its answer; for one
// that has filled its queue there may be no time.
func (s *Server) sayGoodbye() {
	deadline := time.Now().Add(goodbyeTime)
	for _, c := range s.clients {
		if c != nil {
			unix.RawSyscall(unix.SYS_SHUTDOWN, uintptr(c.fd), unix.SHUT_RD, 0)
		}
	}
	for more := true; more && time.Now().Before(deadline); {
		more = false
		for _, c := range s.clients {
			if c != nil && !c.writing() {
				s.serve(c)
				more = true
				if time.Now().After(deadline) {
					break
				}
			}
		}
	}
	s.disconnectAll()
}
