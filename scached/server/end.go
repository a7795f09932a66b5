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
	s.acceptAgain = time.Time{} // never
	s.service.Forget()
	for _, fd := range s.config.Listen {
		s.kernel.Watch(unix.EPOLL_CTL_DEL, fd, 0, 0)
	}
	if s.config.Master >= 0 {
		s.kernel.Watch(unix.EPOLL_CTL_DEL, s.config.Master, 0, 0)
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
	deadline := s.kernel.Now().Add(goodbyeTime)
	for _, c := range s.clients {
		if c != nil {
			s.kernel.Shutdown(c.fd, unix.SHUT_RD)
		}
	}
	for more := true; more && s.kernel.Now().Before(deadline); {
		more = false
		for _, c := range s.clients {
			if c != nil && !c.writing() {
				s.serve(c)
				more = true
				if s.kernel.Now().After(deadline) {
					break
				}
			}
		}
	}
	s.disconnectAll()
}
