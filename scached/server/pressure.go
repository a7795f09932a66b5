package server

import (
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"scache/scached/protocol"
)

// pressureInterval is how often at most the log says that there is a shortage.
const pressureInterval = time.Minute

// pressure counts what had to be given up for lack of descriptors or because
// of a limit, for the log.
type pressure struct {
	sessions, clients, failures int
	failure                     string // the last one
	due                         time.Time
}

func (p *pressure) pending() bool { return p.sessions+p.clients+p.failures > 0 }

func (p *pressure) failed(text string, now time.Time) {
	p.failures++
	p.failure = text
}

// report logs what there is to say, if it is time.
func (p *pressure) report(log protocol.Logger, now time.Time) {
	if p.pending() && !now.Before(p.due) {
		p.say(log)
		*p = pressure{due: now.Add(pressureInterval)}
	}
}

func (p *pressure) say(log protocol.Logger) {
	if p.sessions+p.clients > 0 {
		log.Warning("short of descriptors or at a limit: gave up " + strconv.Itoa(p.sessions) +
			" sessions or bindings, disconnected " + strconv.Itoa(p.clients) + " clients")
	}
	if p.failures > 0 {
		log.Warning(p.failure + " (" + strconv.Itoa(p.failures) + " times)")
	}
}

// noteDropped counts what the cache has dropped since the last time.
func (s *Server) noteDropped() {
	dropped := s.service.Cache.Dropped.Sum()
	s.pressure.sessions += dropped - s.dropped
	s.dropped = dropped
}

// makeRoom sees to it that one more descriptor can be opened. The client in
// turn, if any, stays.
func (s *Server) makeRoom(turn *client) {
	if s.count+int(s.descriptors.open.Load()) < s.capacity {
		return
	}
	if len(s.descriptors.doomed) == 0 {
		s.shed(turn)
	}
	s.descriptors.sweep(sweepSize)
}

// shed gives up the oldest session or, when there is none, a client.
func (s *Server) shed(turn *client) {
	if !s.service.Cache.GiveUpSession() {
		s.dropClient(turn)
	}
}

// limitMemory counts what the client's conversation holds now. While too much
// memory is held, and conversations hold most of it, it disconnects clients,
// first the one that has been in its request for longest.
func (s *Server) limitMemory(c *client) {
	if s.clients[c.fd] == c {
		now := c.conn.Held()
		s.service.Cache.Memory.Conversations += now - c.held
		c.held = now
	}
	for s.service.Cache.LimitMemory() && s.count > 0 {
		if first := s.busy.first; first != nil {
			s.disconnect(first)
		} else {
			s.disconnect(s.idle.first)
		}
		s.pressure.clients++
	}
}

// dropClient disconnects the client that was idle for longest, who connects
// again when it needs to. When all are in the middle of a request, the one that
// has been longest has to go.
func (s *Server) dropClient(turn *client) {
	if c := s.idle.firstBut(turn); c != nil {
		s.disconnect(c)
	} else if c := s.busy.firstBut(turn); c != nil {
		s.disconnect(c)
	} else {
		return
	}
	s.pressure.clients++
}

// capacity is how many descriptors clients and sessions may have between them:
// what the process may open, less what it has and a reserve, out of which
// surplus descriptors of a message, log sockets and the like are served.
func capacity() (int, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, err
	}
	if limit.Cur < limit.Max {
		raised := unix.Rlimit{Cur: limit.Max, Max: limit.Max}
		if unix.Setrlimit(unix.RLIMIT_NOFILE, &raised) == nil {
			limit.Cur = limit.Max
		}
	}
	const most = 1 << 20
	total := int(min(limit.Cur, most))
	lowest, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 0) // the number of those in use, more or less
	if err != nil {
		return 0, err
	}
	unix.Close(lowest)
	reserve := max(8, min(total/16, 64))
	return max(total-lowest-reserve, 4), nil
}
