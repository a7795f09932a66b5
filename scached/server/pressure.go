package server

import (
	"strconv"
	"time"

	"scache/scached/cache"
	"scache/scached/protocol"
)

// pressureInterval is how often at most the log says that there is a shortage.
const pressureInterval = time.Minute

// pressure counts what had to be given up because of a limit, and what else the
// administrator should know, for the log.
type pressure struct {
	seen      cache.Dropped // what the cache has dropped so far
	items     cache.Dropped // sessions and bindings, since the last report
	clients   cache.Dropped // that were disconnected
	crowd     int           // clients that were disconnected because of their number
	surplus   int           // and because they sent descriptors that nobody asked for
	failures  int
	failure   string // the last one
	hanging   int    // closes
	quits     int    // that hang
	due       time.Time
	something bool
}

func (p *pressure) failed(text string) {
	p.failures++
	p.failure = text
	p.something = true
}

// note notes what the cache has dropped so far, and how many closes hang.
func (p *pressure) note(dropped *cache.Dropped, hanging int) {
	if *dropped != p.seen {
		for i, n := range dropped {
			p.items[i] += n - p.seen[i]
		}
		p.seen = *dropped
		p.something = true
	}
	p.hanging = hanging
}

// notePressure notes what has happened so far.
func (s *Server) notePressure() {
	_, hanging := s.kernel.CloseProgress()
	s.pressure.note(&s.service.Cache.Dropped, hanging)
	s.pressure.quits = s.hangingQuits()
}

func (p *pressure) pending() bool { return p.something || p.hanging > 0 || p.quits > 0 }

// report logs what there is to say, if it is time.
func (p *pressure) report(log protocol.Logger, now time.Time) {
	if p.pending() && !now.Before(p.due) {
		p.say(log)
		*p = pressure{seen: p.seen, due: now.Add(pressureInterval)}
	}
}

func (p *pressure) say(log protocol.Logger) {
	for i := range p.items {
		limit := cache.Limit(i)
		p.sayLimit(log, limit.String(), p.items[i], p.clients[i])
	}
	p.sayLimit(log, "scached_client_limit", 0, p.crowd)
	if p.surplus > 0 {
		log.Warning("disconnected " + count(p.surplus, "client") + " that sent descriptors nobody asked for")
	}
	if p.failures > 0 {
		log.Warning(p.failure + " (" + strconv.Itoa(p.failures) + " times)")
	}
	if p.quits > 0 {
		log.Warning(count(p.quits, "session") + " cannot be sent QUIT, since another process keeps the socket locked; " +
			"each occupies one of " + strconv.Itoa(quitters) + " threads")
	}
	if p.hanging > 0 {
		log.Warning(count(p.hanging, "descriptor") + " of clients cannot be closed, since the file system does not answer; " +
			"each occupies one of " + strconv.Itoa(closers) + " threads")
	}
}

func (p *pressure) sayLimit(log protocol.Logger, limit string, items, clients int) {
	if items+clients == 0 {
		return
	}
	text := limit + " reached: "
	if items > 0 {
		text += "gave up " + count(items, "session or binding")
	}
	if items > 0 && clients > 0 {
		text += ", "
	}
	if clients > 0 {
		text += "disconnected " + count(clients, "client")
	}
	log.Warning(text)
}

// count is a number of things.
func count(n int, thing string) string {
	switch {
	case n == 1:
		return "1 " + thing
	case thing == "session or binding":
		return strconv.Itoa(n) + " sessions or bindings"
	}
	return strconv.Itoa(n) + " " + thing + "s"
}

// used is how many descriptors there are that clients have to do with.
func (s *Server) used() int { return s.count + s.descriptors.unclosed() }

// closing is how many of those will be closed soon, as far as one can tell.
func (s *Server) closing() int {
	if !s.descriptors.moving() {
		return 0
	}
	return len(s.descriptors.closing) + s.kernel.Closing()
}

// makeRoom sees to it that one more descriptor can be opened. It reports false
// when that will be so soon, since some are being closed; nothing is given up for
// those. The client in turn, if any, stays.
func (s *Server) makeRoom(turn *client) bool {
	if s.used() < s.capacity {
		return true
	}
	s.descriptors.sweep(0)
	if s.used() < s.capacity {
		return true
	}
	if s.descriptors.moving() {
		return s.used() < s.mostToRead() // it takes the place of one that is being closed
	}
	s.giveUpDescriptor(turn)
	return true
}

// spare is how much of the reserve what is to stay may use while it takes the place
// of what is still being closed in the background: a close takes a thread longer to
// begin than the loop needs for a client.
func (s *Server) spare() int { return min(s.reserve/4, others) }

// mostToRead is how many descriptors clients may have to do with when one of them
// is read from, so that there is room for as many as the reserve is for.
func (s *Server) mostToRead() int { return s.capacity + s.spare() }

// makeRoomToRead sees to it that all descriptors can be received that may come
// with the next message of a client, since the kernel would close those that
// cannot while we wait for it; and that one of them can stay, when it is due. It
// reports false when that will be so soon.
func (s *Server) makeRoomToRead(c *client, due bool) bool {
	if due && !s.makeRoom(c) {
		return false
	}
	most := s.mostToRead()
	for s.used() > most {
		s.descriptors.sweep(0)
		if s.used() <= most {
			break
		}
		if s.descriptors.moving() {
			return false
		}
		if !s.giveUpDescriptor(c) {
			break
		}
	}
	return true
}

// giveUpDescriptor gives up the oldest session or, when there is none, a client.
// It reports false when there is neither.
func (s *Server) giveUpDescriptor(turn *client) bool {
	gone := s.giveUpQuit() || s.service.Cache.GiveUpSession() || s.dropClient(turn, cache.DescriptorLimit)
	s.descriptors.sweep(1)
	return gone
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
		s.disconnected(protocol.DisconnectMemory)
		s.pressure.clients[cache.MemoryLimit]++
		s.pressure.something = true
	}
}

// clientLimit is the limit on clients, which is none of the cache's.
const clientLimit = ^cache.Limit(0)

// dropClient disconnects the client that was idle for longest, who connects
// again when it needs to. When all are in the middle of a request, the one that
// has been longest has to go. It reports false when there is none.
func (s *Server) dropClient(turn *client, why cache.Limit) bool {
	c := s.idle.firstBut(turn)
	if c == nil {
		c = s.busy.firstBut(turn)
	}
	if c == nil {
		return false
	}
	s.disconnect(c)
	if why == clientLimit {
		s.disconnected(protocol.DisconnectLimit)
		s.pressure.crowd++
	} else {
		s.disconnected(protocol.DisconnectShortage)
		s.pressure.clients[why]++
	}
	s.pressure.something = true
	return true
}

// others is room for log sockets and the like, and as much for what takes the place
// of what is being closed.
const others = 16

// capacity is how many descriptors clients and sessions may have between them:
// what the process may open, less what it has and a reserve, out of which
// surplus descriptors of a message, log sockets and the like are served.
func capacity(kernel Kernel) (most, reserve int, err error) {
	total, used, err := kernel.Limit()
	if err != nil {
		return 0, 0, err
	}
	reserve = max(8, min(total/16, 64))
	if total >= 3*(mostInMessage+2*others) {
		reserve = mostInMessage + 2*others
	}
	return max(total-used-reserve, 4), reserve, nil
}
