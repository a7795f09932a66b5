package server

import (
	"io"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"scache/scached/protocol"
)

// A client is a connection to the service socket. It is in one of the queues
// of the server: idle between requests, busy within one.
type client struct {
	fd       int // owned
	sequence int32
	conn     protocol.Conn
	action   protocol.Action
	events   uint32 // that are waited for
	spoke    bool   // it has said something
	ended    bool   // it has no more to say, and everything it said was read
	surplus  bool   // it has sent a descriptor that nobody asked for
	answered bool   // it has read its answer, see awaitRead
	guarded  bool   // it can send a descriptor only when one is due

	postponed bool // it is left alone, see postpone
	held      int  // bytes of memory of its conversation, counted in the server's
	since     time.Time
	queue     *clientQueue
	prev      *client
	next      *client // also links free clients
}

// soPassRights lets a socket receive descriptors (Linux 6.16). Where it is off,
// who sends one gets an error, and it does not come here.
const soPassRights = 83

// guardTime is for how long clients can send descriptors only when one is due,
// once one of them has sent one that was not, and are looked at before they are read.
// Always would be two system calls more for each session that is saved, and one more
// for each message.
const guardTime = time.Minute

// connect begins to serve a client. It takes ownership of the descriptor.
func (s *Server) connect(fd int) {
	// Out of band, the kernel would close a descriptor while the byte that it came
	// with is read.
	s.kernel.SetOption(fd, unix.SO_OOBINLINE, true)
	c := s.newClient(fd)
	if s.config.Verbose {
		s.config.Log.Info("connection established fd " + strconv.Itoa(fd))
	}
	s.guard(c, false)
	if s.config.Dialect.Greets && !s.nothingQueued(fd) {
		s.service.SpokeFirst()
	}
	c.conn.Open(s.service, false)
	if err := s.kernel.Watch(unix.EPOLL_CTL_ADD, fd, unix.EPOLLIN, c.sequence); err != nil {
		s.config.Log.Warning(err.Error())
		s.disconnect(c)
		return
	}
	s.flush(c)
}

// newClient takes ownership of the descriptor.
func (s *Server) newClient(fd int) *client {
	c := s.free
	if c == nil {
		c = new(client)
	} else {
		s.free = c.next
	}
	s.sequence = (s.sequence + 1) & 0x7fffffff
	*c = client{fd: fd, sequence: s.sequence, events: unix.EPOLLIN, conn: c.conn, action: protocol.Input}
	for fd >= len(s.clients) {
		s.clients = append(s.clients, make([]*client, fd+1-len(s.clients)+64)...)
	}
	s.clients[fd] = c
	s.count++
	s.service.Counters.Clients++
	s.idle.push(c)
	return c
}

// serve goes on with a client whose socket is ready: at most one read, so that
// each client has its turn, and all that follows from it.
func (s *Server) serve(c *client) {
	received := false
	for s.flush(c) {
		if c.surplus {
			s.disconnectSurplus(c)
			return
		}
		switch c.action {
		case protocol.Send:
			if !s.send(c) {
				return
			}
		case protocol.AwaitRead:
			s.awaitRead(c)
			return
		case protocol.Drop:
			s.disconnected(protocol.DisconnectMalformed)
			s.settle(c)
			s.disconnect(c)
			return
		default:
			s.settle(c) // whether or not there is more to read
			if received {
				return
			}
			received = true
			if !s.receive(c) {
				return
			}
		}
	}
}

// receive reads input, or a descriptor. It reports false when there is nothing
// more to do now.
func (s *Server) receive(c *client) bool {
	due := c.action == protocol.Descriptor
	if due {
		return s.receiveInto(c, s.buffer[:1], true)
	}
	if !s.alarmed() {
		return s.receiveInto(c, s.buffer[:], false)
	}
	n, carries, err := s.kernel.Front(c.fd, s.buffer[:])
	switch {
	case err == unix.EAGAIN:
		return false
	case carries: // it is not read, so that nothing has to be closed for it here
		s.guardUntil = s.now.Add(guardTime)
		s.disconnectSurplus(c)
		return false
	case err != 0 || n == 0:
		return s.inputOver(c, err != 0)
	}
	return s.receiveInto(c, s.buffer[:n], false)
}

// receiveInto is receive into a buffer.
func (s *Server) receiveInto(c *client, buffer []byte, due bool) bool {
	if !s.makeRoomToRead(c, due) {
		s.postpone(c)
		return false
	}
	n, fds, lost, err := s.kernel.Receive(c.fd, buffer)
	surplus := len(fds) > 1 || len(fds) > 0 && !due && s.config.Dialect.Before
	for _, fd := range fds {
		if surplus {
			s.descriptors.adoptUnseen(fd)
		} else {
			s.descriptors.adopt(fd)
		}
	}
	switch {
	case err == unix.EAGAIN:
		return false
	case due && err != nil:
		c.conn.Received(-1, err)
		s.disconnectAfterOutput(c)
		return false
	case n == 0:
		return s.inputOver(c, err != nil)
	case due:
		fd, err := s.pick(c, fds, lost)
		c.action = c.conn.Received(fd, err)
	default:
		if !c.spoke {
			c.spoke = true
			if s.config.Dialect.Greets && !s.allRead(c.fd) {
				s.service.SpokeFirst()
			}
		}
		s.begin(c)
		c.surplus = surplus
		c.action = c.conn.Input(buffer[:n], fds)
	}
	s.guard(c, c.action == protocol.Descriptor)
	return true
}

// inputOver ends the connection of a client that has no more to say, or of which
// nothing can be read. It reports false.
func (s *Server) inputOver(c *client, failed bool) bool {
	c.ended = !failed
	if c.ended && !s.ending.IsZero() {
		s.disconnect(c) // it was us who ended the input
		return false
	}
	if !c.conn.Idle() {
		c.conn.End(io.EOF)
	}
	s.disconnectAfterOutput(c)
	return false
}

// guard lets a client send descriptors when one is due, and else only while there
// is no alarm.
func (s *Server) guard(c *client, due bool) {
	if c.surplus {
		s.guardUntil = s.now.Add(guardTime)
	}
	on := !due && s.alarmed()
	if on != c.guarded && s.kernel.SetOption(c.fd, soPassRights, !on) {
		c.guarded = on
	}
}

// alarmed tells that nobody is to send a descriptor that is not due: where there is
// no room for as many as a message can bring, and for a while after somebody did.
func (s *Server) alarmed() bool {
	return s.config.Dialect.Before &&
		(s.reserve < mostInMessage || !s.guardUntil.IsZero() && s.now.Before(s.guardUntil))
}

// pick is the one descriptor that came, or -1 and the error, if any. It
// closes the descriptors of a message that has more than one, or has lost some.
func (s *Server) pick(c *client, fds []int, lost bool) (fd int, err error) {
	if len(fds) == 1 && !lost {
		return fds[0], nil
	}
	for _, fd := range fds {
		s.descriptors.close(fd)
	}
	c.surplus = len(fds) > 1
	if lost {
		return -1, unix.EMFILE
	}
	return -1, nil
}

// send hands over a session. It reports false when that is not possible now.
func (s *Server) send(c *client) bool {
	switch err := s.kernel.SendDescriptor(c.fd, c.conn.Session()); err {
	case nil:
	case unix.EAGAIN:
		s.await(c, unix.EPOLLOUT)
		return false
	default:
		// The client waits for what will not come. When it is told that, it can
		// go on without.
		c.conn.Sent(err)
		s.disconnectAfterOutput(c)
		return false
	}
	c.action = c.conn.Sent(nil)
	return true
}

// flush writes what the client is to be told. It reports false when something
// is left, or the connection has ended.
func (s *Server) flush(c *client) bool {
	for {
		out := c.conn.Output()
		if len(out) == 0 {
			if c.action != protocol.AwaitRead {
				s.await(c, unix.EPOLLIN)
			}
			return true
		}
		n, err := s.write(c.fd, out)
		switch err {
		case 0:
			c.conn.Written(n)
		case unix.EAGAIN:
			s.await(c, unix.EPOLLOUT)
			return false
		default:
			c.conn.Broken(err)
			s.settle(c)
			s.disconnect(c)
			return false
		}
	}
}

// write writes to a client's socket what fits.
func (s *Server) write(fd int, p []byte) (n int, err unix.Errno) {
	for {
		if n, err = s.kernel.Write(fd, p); err != unix.EINTR {
			return n, err
		}
	}
}

// await makes the loop wait for events of a client: until it can be written to, or
// until it can be read from.
func (s *Server) await(c *client, events uint32) {
	if c.events == events {
		return
	}
	c.events = events
	s.kernel.Watch(unix.EPOLL_CTL_MOD, c.fd, events, c.sequence)
	if c.writing() && c.queue == &s.idle {
		s.begin(c)
	}
}

// writing tells whether it is for the client to read.
func (c *client) writing() bool { return c.events&unix.EPOLLOUT != 0 }

// begin notes that a client is in a request, unless it was already.
func (s *Server) begin(c *client) {
	if c.queue == &s.busy {
		return
	}
	s.idle.remove(c)
	s.busy.push(c)
	c.since = s.now
	s.config.Notify(false)
}

// settle notes that a client is between two requests, if it is.
func (s *Server) settle(c *client) {
	if c.queue == &s.idle || !c.conn.Idle() {
		return
	}
	s.busy.remove(c)
	s.idle.push(c)
	s.config.Notify(true)
}

// disconnectLate ends a connection in the middle of a request that has taken too
// long, and says so in the log as the reference would.
func (s *Server) disconnectLate(c *client) {
	s.disconnected(protocol.DisconnectTimeout)
	c.conn.End(unix.ETIMEDOUT)
	s.disconnectAfterOutput(c)
}

// disconnectSurplus ends the connection of a client that has sent a descriptor
// that nobody asked for, and that has its answer.
func (s *Server) disconnectSurplus(c *client) {
	if !c.conn.Idle() {
		c.conn.End(io.EOF) // which the log is to say, but not the client any more
		c.conn.Written(len(c.conn.Output()))
	}
	s.settle(c)
	s.disconnect(c)
	s.disconnected(protocol.DisconnectSurplus)
	s.pressure.surplus++
	s.pressure.something = true
}

// disconnected counts a client that is disconnected, for an administrator.
func (s *Server) disconnected(why protocol.Disconnection) {
	s.service.Counters.ClientsDisconnected[why]++
}

// disconnectAfterOutput writes what can be written now and ends the connection.
// The client may be gone, so it does not matter how much that is.
func (s *Server) disconnectAfterOutput(c *client) {
	if out := c.conn.Output(); len(out) > 0 {
		s.write(c.fd, out)
		c.conn.Written(len(out))
	}
	s.settle(c)
	s.disconnect(c)
}

// disconnect ends a connection.
func (s *Server) disconnect(c *client) {
	if s.config.Verbose && s.ending.IsZero() {
		s.config.Log.Info("connection closed fd " + strconv.Itoa(c.fd))
	}
	c.conn.Close()
	s.kernel.Watch(unix.EPOLL_CTL_DEL, c.fd, 0, 0)
	if !c.ended {
		// Nothing can be added to what it sent.
		s.kernel.Shutdown(c.fd, unix.SHUT_RDWR)
	}
	if c.ended || s.nothingQueued(c.fd) {
		s.kernel.Close(c.fd)
	} else {
		// What it sent and nobody read may hold descriptors that do not close at once.
		s.kernel.CloseInBackground(c.fd, true)
	}
	s.clients[c.fd] = nil
	s.service.Cache.Memory.Conversations -= c.held
	c.queue.remove(c)
	c.next, s.free = s.free, c
	if s.count--; s.count == 0 {
		s.idleSince = s.now
	}
}
