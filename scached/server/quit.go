package server

import (
	"math"
	"time"

	"golang.org/x/sys/unix"

	"scache/scached/protocol"
)

const (
	// lingerTime is how long the answer to QUIT is waited for, and mostLingering is
	// how many sessions may do so at a time. When there are more, the one that has
	// waited for longest is closed.
	lingerTime    = time.Second
	mostLingering = 1000
	// quitTime is how much of a turn may be spent on sessions that end with QUIT.
	quitTime = 200 * time.Microsecond
	// endTime is how long a server that has to end may take to say QUIT.
	endTime = 300 * time.Millisecond
)

// quits are the sessions that end with QUIT. Each waits for its turn; then it is
// lent to the kernel to say QUIT, lingers until the remote end has closed the
// connection, and is lent once more, to look for the answer. Then it is closed.
type quits struct {
	waiting   []int       // descriptors
	lingering []lingering // in the order in which they began, with some that are gone
	sequences []int32     // by descriptor, of those that linger; 0 for the others
	count     int         // that linger
	sequence  int32
	pending   int       // lent to the kernel
	hanging   int       // steps of it that hang
	since     time.Time // when the first of them was seen
	more      bool      // there is more to do at once
}

// A lingering session waits for the remote end to close it.
type lingering struct {
	fd       int
	sequence int32
	due      time.Time
}

// quitEvents are those of a session that lingers, besides errors. An answer is none
// of them: as long as the connection lasts there is no hurry to look at it.
const quitEvents = unix.EPOLLRDHUP

// aboutQuit is what the events of a lingering session say, by its sequence number:
// less than any other.
func aboutQuit(sequence int32) int32 { return math.MinInt32 + sequence }

const mostQuits = math.MaxInt32 / 2 // sequence numbers

func isQuit(about int32) bool { return about < math.MinInt32+mostQuits+1 }

// quit takes ownership of a session that is to be sent QUIT if the remote end
// still serves it. That comes in a later turn: thousands can end in the same second.
func (s *Server) quit(fd int) { s.quits.waiting = append(s.quits.waiting, fd) }

// runQuits takes care of sessions that end with QUIT, for a part of the turn.
func (s *Server) runQuits() {
	q := &s.quits
	if len(q.waiting) == 0 && q.count == 0 && q.pending == 0 {
		q.more = false // the last turn may have ended before this was known
		return
	}
	for len(q.lingering) > 0 {
		oldest := q.lingering[0]
		if !q.lingers(oldest) {
			q.lingering = q.lingering[1:]
		} else if s.now.Before(oldest.due) {
			break
		} else {
			s.stopLingering(oldest.fd)
		}
	}
	const few = 8 // between two looks at the clock
	start := s.kernel.Now()
	for n := 1; ; n++ {
		q.more = s.takeBackQuit()
		if len(q.waiting) > 0 {
			last := len(q.waiting) - 1
			fd := q.waiting[last]
			q.waiting = q.waiting[:last]
			s.sayQuit(fd)
			q.more = true
		}
		if !q.more || n%few == 0 && s.kernel.Now().Sub(start) >= quitTime {
			break
		}
	}
	hanging := q.hanging
	if q.pending, q.hanging = s.kernel.QuitProgress(); hanging == 0 {
		q.since = s.now
	}
}

// hangingQuits is how many have been hanging for so long that the log is to say it.
func (s *Server) hangingQuits() int {
	if q := &s.quits; q.hanging > 0 && s.now.Sub(q.since) >= hangTime {
		return q.hanging
	}
	return 0
}

// sayQuit says QUIT to a session that the remote end serves. One that has ended,
// or in which the remote end has spoken (421), is closed without.
func (s *Server) sayQuit(fd int) {
	d := &s.descriptors
	if d.kinds[fd] == foreign || !d.plain(fd) || !d.live(fd) {
		s.countQuit(protocol.QuitSkipped)
		d.close(fd)
		return
	}
	step := QuitSay
	// The other end of a UNIX-domain socket may be tlsproxy(8), which takes the end
	// of what it reads for the end of all. At the end of the process there is nobody
	// to wait for the answer, so the kernel ends the connection in a moment.
	if d.kinds[fd] == internet && s.ending.IsZero() {
		step = QuitFinish
	}
	s.quits.pending++
	s.kernel.Quit(fd, step)
}

// takeBackQuit takes back a session that was lent to the kernel. It reports false
// when there is none.
func (s *Server) takeBackQuit() bool {
	fd, step, done := s.kernel.QuitDone()
	if fd < 0 {
		return false
	}
	switch {
	case step != QuitListen && !done:
		s.countQuit(protocol.QuitSkipped)
	case step != QuitListen && s.ending.IsZero() && s.linger(fd):
		return true
	case step == QuitListen && done:
		s.countQuit(protocol.QuitAnswered)
	default:
		s.countQuit(protocol.QuitUnanswered)
	}
	s.descriptors.close(fd)
	return true
}

// linger waits for the remote end to end a session. It reports false when it cannot.
func (s *Server) linger(fd int) bool {
	q := &s.quits
	for i := 0; q.count >= mostLingering; i++ {
		if oldest := q.lingering[i]; q.lingers(oldest) {
			s.stopLingering(oldest.fd)
		}
	}
	q.sequence = q.sequence%mostQuits + 1
	if s.kernel.Watch(unix.EPOLL_CTL_ADD, fd, quitEvents, aboutQuit(q.sequence)) != nil {
		return false
	}
	for fd >= len(q.sequences) {
		q.sequences = append(q.sequences, make([]int32, fd+1-len(q.sequences)+256)...)
	}
	q.sequences[fd] = q.sequence
	q.lingering = append(q.lingering, lingering{fd, q.sequence, s.now.Add(lingerTime)})
	q.count++
	return true
}

func (q *quits) lingers(l lingering) bool { return q.sequences[l.fd] == l.sequence }

// quitEnded goes on when the remote end has ended a session that lingers.
func (s *Server) quitEnded(fd int, about int32) {
	q := &s.quits
	if fd < len(q.sequences) && q.sequences[fd] != 0 && aboutQuit(q.sequences[fd]) == about {
		s.stopLingering(fd)
	}
}

// stopLingering looks at what has come from the remote end.
func (s *Server) stopLingering(fd int) {
	s.forgetLingering(fd)
	s.quits.pending++
	s.kernel.Quit(fd, QuitListen)
}

// forgetLingering takes a session out of those that linger.
func (s *Server) forgetLingering(fd int) {
	s.kernel.Watch(unix.EPOLL_CTL_DEL, fd, 0, 0)
	s.quits.sequences[fd] = 0
	s.quits.count--
}

// giveUpQuit closes a session that ends with QUIT, since descriptors are short:
// that which has lingered for longest, or one that has not been sent QUIT yet. It
// reports false when there is none.
func (s *Server) giveUpQuit() bool {
	q := &s.quits
	for ; len(q.lingering) > 0; q.lingering = q.lingering[1:] {
		if oldest := q.lingering[0]; q.lingers(oldest) {
			s.forgetLingering(oldest.fd)
			s.countQuit(protocol.QuitUnanswered)
			s.descriptors.close(oldest.fd)
			return true
		}
	}
	if len(q.waiting) == 0 {
		return false
	}
	last := len(q.waiting) - 1
	s.countQuit(protocol.QuitSkipped)
	s.descriptors.close(q.waiting[last])
	q.waiting = q.waiting[:last]
	return true
}

func (s *Server) countQuit(what protocol.Quit) { s.service.Counters.Quits[what]++ }

// finishQuits says QUIT to as many sessions as there is time for, at the end, and
// waits for no answer.
func (s *Server) finishQuits() {
	q := &s.quits
	s.stopAllLingering()
	s.now = s.kernel.Now()
	for deadline := s.now.Add(endTime); (len(q.waiting) > 0 || q.pending > 0) && s.now.Before(deadline); {
		s.runQuits()
		if s.now = s.kernel.Now(); !q.more && q.pending > 0 {
			// Clients are gone, and nothing else is of interest any more.
			if _, _, err := s.kernel.Wait(s.now, min(quitHangs, max(deadline.Sub(s.now), 1))); err != nil {
				return
			}
		}
	}
}

// stopAllLingering closes all sessions that linger.
func (s *Server) stopAllLingering() {
	for s.quits.count > 0 {
		s.giveUpQuit()
	}
}

// closeQuits closes what is left, but for what the kernel does not return.
func (s *Server) closeQuits() {
	s.finishQuits()
	for s.giveUpQuit() {
		// There is another one.
	}
}

// quitSleep is how long the loop may wait for events because of sessions that end
// with QUIT. It reports false when there are none.
func (s *Server) quitSleep() (sleep time.Duration, ok bool) {
	q := &s.quits
	switch {
	case q.more || len(q.waiting) > 0:
		return 0, true
	case q.pending > 0:
		return quitHangs, true
	case q.count > 0:
		return q.lingering[0].due.Sub(s.now), true
	}
	return 0, false
}
