package server

import (
	"io"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"scache/attrproto"
	"scache/scached/protocol"
	"scache/scached/strerror"
)

// accept takes one client from a listening socket.
func (s *Server) accept(listen int) {
	if s.config.MaxClients > 0 && s.count >= s.config.MaxClients {
		s.dropClient(nil)
	}
	s.makeRoom(nil)
	fd, _, err := unix.Accept4(listen, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	if err == unix.EMFILE || err == unix.ENFILE || err == unix.ENOBUFS || err == unix.ENOMEM {
		// The system is short of descriptors, or somebody else took ours.
		s.shed(nil)
		s.descriptors.sweep(sweepSize)
		fd, _, err = unix.Accept4(listen, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	}
	if err != nil {
		s.acceptFailed(err)
		return
	}
	c := s.newClient(fd)
	if err := s.waiter.watch(unix.EPOLL_CTL_ADD, fd, unix.EPOLLIN, c.sequence); err != nil {
		s.config.Log.Warning(err.Error())
		s.disconnect(c)
		return
	}
	if s.config.Verbose {
		s.config.Log.Info("connection established fd " + strconv.Itoa(fd))
	}
	c.conn.Open(s.service, false)
	s.flush(c)
}

func (s *Server) acceptFailed(err error) {
	switch err {
	case unix.EAGAIN, unix.EINTR, unix.ECONNABORTED: // it went away, or somebody else has it
	default:
		s.pressure.failed("accept connection: "+strerror.Of(err), s.now)
		s.listen(false)
		s.deafUntil = s.now.Add(deafTime)
	}
}

// deafTime is for how long clients have to wait when none can be accepted. To
// try all the time would keep a processor busy.
const deafTime = 100 * time.Millisecond

// listen makes the loop wait for new clients, or not.
func (s *Server) listen(on bool) {
	events := uint32(0)
	if on {
		events = unix.EPOLLIN
	}
	for _, fd := range s.config.Listen {
		s.waiter.watch(unix.EPOLL_CTL_MOD, fd, events, aboutListen)
	}
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
	c.fd, c.sequence, c.action, c.writing, c.ended, c.held = fd, s.sequence, protocol.Input, false, false, 0
	for fd >= len(s.clients) {
		s.clients = append(s.clients, make([]*client, fd+1-len(s.clients)+64)...)
	}
	s.clients[fd] = c
	s.count++
	s.idle.push(c)
	return c
}

// disconnect ends a connection.
func (s *Server) disconnect(c *client) {
	if s.config.Verbose && s.ending.IsZero() {
		s.config.Log.Info("connection closed fd " + strconv.Itoa(c.fd))
	}
	c.conn.Close()
	unix.EpollCtl(s.waiter.epoll, unix.EPOLL_CTL_DEL, c.fd, nil)
	if !c.ended {
		unix.Shutdown(c.fd, unix.SHUT_RDWR) // nothing can be added to what it sent
	}
	if c.ended || nothingQueued(c.fd) {
		unix.Close(c.fd)
	} else {
		// What it sent and nobody read may hold descriptors that do not close at once.
		s.descriptors.open.Add(1)
		s.descriptors.closer.close(c.fd, &s.descriptors.open)
	}
	s.clients[c.fd] = nil
	s.service.Cache.Memory.Conversations -= c.held
	c.queue.remove(c)
	c.next, s.free = s.free, c
	if s.count--; s.count == 0 {
		s.idleSince = s.now
	}
}

// expel ends a connection in the middle of a request, and says so in the log as
// the reference would.
func (s *Server) expel(c *client, why error) {
	c.conn.End(why)
	s.finish(c)
}

// finish writes what can be written now and ends the connection. The client
// may be gone, so it does not matter how much that is.
func (s *Server) finish(c *client) {
	if out := c.conn.Output(); len(out) > 0 {
		write(c.fd, out)
		c.conn.Written(len(out))
	}
	s.settle(c)
	s.disconnect(c)
}

// serve goes on with a client whose socket is ready: at most one read, so that
// each client has its turn, and all that follows from it.
func (s *Server) serve(c *client) {
	received := false
	for s.flush(c) {
		switch c.action {
		case protocol.Send:
			if !s.send(c) {
				return
			}
		case protocol.AwaitRead:
			c.action = c.conn.AnswerRead()
		case protocol.Drop:
			s.settle(c)
			s.disconnect(c)
			return
		default:
			if received {
				s.settle(c)
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
	buffer := s.buffer[:]
	if c.action == protocol.Descriptor {
		s.makeRoom(c)
		buffer = s.buffer[:1]
	}
	n, fds, err := s.receiver.Receive(c.fd, buffer)
	for _, fd := range fds {
		s.descriptors.adopt(fd)
	}
	if err == unix.EAGAIN {
		return false
	}
	if c.action == protocol.Descriptor && n > 0 {
		c.action = c.conn.Received(s.pick(fds))
		return true
	}
	if n > 0 {
		s.begin(c)
		c.action = c.conn.Input(buffer[:n], fds)
		return true
	}
	c.ended = err == nil
	if c.ended && !s.ending.IsZero() {
		s.disconnect(c) // it was us who ended the input
		return false
	}
	if c.action == protocol.Descriptor && err != nil {
		c.conn.Received(-1, err)
	} else if !c.conn.Idle() {
		c.conn.End(io.EOF)
	}
	s.finish(c)
	return false
}

// pick is the one descriptor that came, or -1 and the error, if any. It
// closes the descriptors of a message that has more than one.
func (s *Server) pick(fds []int) (fd int, err error) {
	lost := s.receiver.Truncated
	if len(fds) == 1 && !lost {
		return fds[0], nil
	}
	for _, fd := range fds {
		s.descriptors.close(fd)
	}
	if lost {
		return -1, unix.EMFILE
	}
	return -1, nil
}

// send hands over a session. It reports false when that is not possible now.
func (s *Server) send(c *client) bool {
	switch err := attrproto.SendDescriptor(c.fd, c.conn.Session()); err {
	case nil:
	case unix.EAGAIN:
		s.await(c, true)
		return false
	default:
		// The client waits for what will not come. When it is told that, it can
		// go on without.
		c.conn.Sent(err)
		s.finish(c)
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
			s.await(c, false)
			return true
		}
		n, err := write(c.fd, out)
		switch err {
		case 0:
			c.conn.Written(n)
		case unix.EAGAIN:
			s.await(c, true)
			return false
		default:
			c.conn.Broken(err)
			s.settle(c)
			s.disconnect(c)
			return false
		}
	}
}

// await makes the loop wait until the client can be written to, or until it
// can be read from.
func (s *Server) await(c *client, writing bool) {
	if c.writing == writing {
		return
	}
	c.writing = writing
	events := uint32(unix.EPOLLIN)
	if writing {
		events = unix.EPOLLOUT
	}
	s.waiter.watch(unix.EPOLL_CTL_MOD, c.fd, events, c.sequence)
	if writing && c.queue == &s.idle {
		s.begin(c)
	}
}

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
