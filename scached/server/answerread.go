package server

import (
	"time"

	"golang.org/x/sys/unix"

	"scache/scached/protocol"
)

// answerTime is how long a client has to return from the read in which it got its
// answer, before a descriptor may follow. The kernel tells that an answer has been
// read when its last piece is off the queue, while that read still looks for more:
// what comes in this moment goes to it, too, and the descriptor is lost. Only
// clients of a snapshot of 2004 read like that.
const answerTime = 30 * time.Millisecond

// An answered client has read its answer.
type answered struct {
	fd       int
	sequence int32
	due      time.Time // when it has returned from that
}

// awaitRead waits until a client has read its answer.
func (s *Server) awaitRead(c *client) {
	if !c.answered && s.allRead(c.fd) {
		c.answered = true
		s.answered = append(s.answered, answered{c.fd, c.sequence, s.now.Add(answerTime)})
	}
	s.await(c, unix.EPOLLOUT|unix.EPOLLET) // an event each time it has read something
}

// sendAfterAnswers goes on with clients that have returned from their read.
func (s *Server) sendAfterAnswers() {
	for len(s.answered) > 0 && !s.now.Before(s.answered[0].due) {
		a := s.answered[0]
		s.answered = s.answered[1:]
		c := s.clients[a.fd]
		if c == nil || c.sequence != a.sequence || c.action != protocol.AwaitRead {
			continue
		}
		c.answered = false
		c.action = c.conn.AnswerRead()
		s.serve(c)
		s.limitMemory(c)
	}
}
