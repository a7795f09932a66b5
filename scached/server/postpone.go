package server

import (
	"time"

	"golang.org/x/sys/unix"
)

// Postponed clients have something to say, for which there is no room as long as
// descriptors are being closed. To look at them in every turn would keep a
// processor busy until then.
type postponed struct {
	clients []waiting
	due     time.Time // when to look again
}

// A waiting client may have been disconnected meanwhile.
type waiting struct {
	fd       int
	sequence int32
}

// postpone leaves a client alone for a while. Epoll tells about a connection that
// has ended whether it is asked to or not, but in this way no more than once.
func (s *Server) postpone(c *client) {
	if c.postponed {
		return
	}
	if len(s.postponed.clients) == 0 {
		s.postponed.due = s.now.Add(shortPause)
	}
	c.postponed = true
	s.await(c, unix.EPOLLET)
	s.postponed.clients = append(s.postponed.clients, waiting{c.fd, c.sequence})
}

// resume looks at postponed clients again, when there is room or it is time.
func (s *Server) resume() {
	p := &s.postponed
	if len(p.clients) == 0 || s.now.Before(p.due) && s.used() >= s.mostToRead() {
		return
	}
	for _, w := range p.clients {
		if c := s.clients[w.fd]; c != nil && c.sequence == w.sequence && c.postponed {
			c.postponed = false
			s.await(c, unix.EPOLLIN)
		}
	}
	p.clients = p.clients[:0]
}
