package tap

import (
	"time"

	"golang.org/x/sys/unix"
)

// A link is a client together with its connection to the server.
type link struct {
	number         int
	client, server end
	connected      bool // to the server
	closed         bool
}

// An end is one of the two sockets of a link.
type end struct {
	fd     int // owned
	link   *link
	other  *end
	events uint32 // that are waited for, 0 when it is not watched

	// What its peer has not taken yet: bytes, and descriptors that go with the first
	// of them. While there is something nothing is taken from the other end.
	pending []byte
	rights  []int

	ended bool // nothing more comes from its peer
	gone  bool // its peer has closed it, so that nothing can be sent either
	// held tells that a message with a descriptor waits there, and readSince from
	// when on the receiver had read everything before it.
	held      bool
	readSince time.Time
}

// returnTime is how long a receiver has to return from the read in which it got
// what came before a descriptor. The kernel tells that something has been read
// while that read may still look for more; a descriptor that comes in this moment
// is lost to a plain read(2), which the snapshot of 2004 uses.
const returnTime = 30 * time.Millisecond

func (e *end) toServer() bool { return e == &e.link.client }

// wanted are the events that something is to be done about.
func (e *end) wanted() (events uint32) {
	if !e.ended && !e.held && len(e.other.pending) == 0 {
		events |= unix.EPOLLIN
	}
	if len(e.pending) > 0 {
		events |= unix.EPOLLOUT
	}
	return events
}

// watch makes the kernel tell of what is wanted. An end of which nothing is wanted
// is not watched at all: that its peer has gone would be told again and again.
func (r *Relay) watch(e *end) {
	events := e.wanted()
	if events == e.events || e.link.closed {
		return
	}
	operation := unix.EPOLL_CTL_MOD
	switch {
	case events == 0:
		operation = unix.EPOLL_CTL_DEL
	case e.events == 0:
		operation = unix.EPOLL_CTL_ADD
	}
	event := unix.EpollEvent{Events: events, Fd: int32(e.fd), Pad: int32(e.link.number)}
	if err := unix.EpollCtl(r.epoll, operation, e.fd, &event); err != nil {
		r.config.Log.Warning("epoll_ctl: " + err.Error())
		r.close(e.link)
		return
	}
	e.events = events
}

// pass takes one message of an end's peer and passes it on.
func (r *Relay) pass(e *end, gone bool) {
	n, carries, errno := r.messages.front(e.fd)
	switch {
	case errno == unix.EAGAIN || errno == unix.ECONNRESET: // of which the end follows
		return
	case errno != 0:
		r.close(e.link)
		return
	case n == 0:
		r.finish(e, gone)
		return
	case carries && !r.mayFollow(e):
		return
	}
	p, fds, errno := r.messages.takeFront(e.fd, n, carries)
	if errno != 0 {
		return
	}
	r.identify(e, fds)
	sent, errno := r.messages.send(e.other.fd, p, fds)
	switch {
	case errno == unix.EAGAIN || errno == unix.ETOOMANYREFS:
		sent = 0
	case errno != 0:
		closeAll(fds)
		r.deafen(e.other)
		return
	}
	r.record(e, p)
	if sent == len(p) {
		closeAll(fds)
		return
	}
	e.other.pending = append([]byte(nil), p[sent:]...)
	if sent == 0 {
		e.other.rights = append([]int(nil), fds...)
	} else {
		closeAll(fds)
	}
	r.watch(e)
	r.watch(e.other)
}

// mayFollow tells whether a message with a descriptor may be passed on now: its
// receiver has read all that came before, and has had time to return from that. It
// stays where it is until then.
func (r *Relay) mayFollow(e *end) bool {
	read := allRead(e.other.fd)
	if !e.held && read {
		return true
	}
	switch {
	case !read:
		e.readSince = time.Time{}
	case e.readSince.IsZero():
		e.readSince = r.now
	case r.now.Sub(e.readSince) >= returnTime:
		e.held = false
		r.watch(e)
		return true
	}
	if !e.held {
		e.held = true
		r.held = append(r.held, e)
		r.watch(e)
	}
	return false
}

// lookAtHeld goes on with messages whose time has come.
func (r *Relay) lookAtHeld() {
	held := r.held
	r.held = r.held[:0:0]
	for _, e := range held {
		if e.link.closed {
			continue
		}
		r.pass(e, false)
		if e.held && !e.link.closed {
			r.held = append(r.held, e)
		}
	}
}

// flush sends what is pending for an end.
func (r *Relay) flush(e *end) {
	n, errno := r.messages.send(e.fd, e.pending, e.rights)
	switch {
	case errno == unix.EAGAIN || errno == unix.ETOOMANYREFS:
		return
	case errno != 0:
		r.deafen(e)
		return
	}
	if n > 0 {
		closeAll(e.rights)
		e.rights = nil
	}
	if e.pending = e.pending[n:]; len(e.pending) > 0 {
		return
	}
	e.pending = nil
	r.settle(e.other)
	r.watch(e)
	r.watch(e.other)
}

// deafen notes that the peer of an end takes nothing any more. What it said before
// can still be passed on.
func (r *Relay) deafen(e *end) {
	closeAll(e.rights)
	e.pending, e.rights = nil, nil
	e.other.ended = true
	unix.Shutdown(e.other.fd, unix.SHUT_RD)
	r.settle(e)
	r.watch(e)
	r.watch(e.other)
}

// finish notes that nothing more comes from the peer of an end.
func (r *Relay) finish(e *end, gone bool) {
	if !e.ended {
		kind := eventShutdown
		switch {
		case !e.toServer():
			kind = eventEnd
		case gone:
			kind = eventClose
		}
		r.config.Recorder.note(event{kind: kind, client: e.link.number, at: r.now}, nil)
	}
	e.ended, e.gone = true, e.gone || gone
	r.settle(e)
	r.watch(e)
}

// settle tells the other end of the end of this one, once it has taken everything.
func (r *Relay) settle(e *end) {
	switch {
	case !e.ended || len(e.other.pending) > 0 || e.link.closed:
	case e.gone || e.other.ended:
		r.close(e.link)
	default:
		unix.Shutdown(e.other.fd, unix.SHUT_WR)
	}
}

// close ends both connections of a link. A client that writes after that is told
// so by EPIPE: what it has written before is taken off its socket, since it would
// be told of another error otherwise, and smtp(8) logs any other as a problem.
func (r *Relay) close(l *link) {
	if l.closed {
		return
	}
	l.closed = true
	unix.Shutdown(l.client.fd, unix.SHUT_RD)
	for range 64 {
		if n, carries, errno := r.messages.front(l.client.fd); errno != 0 || n == 0 {
			break
		} else if _, fds, _ := r.messages.takeFront(l.client.fd, n, carries); len(fds) > 0 {
			closeAll(fds)
		}
	}
	for _, e := range []*end{&l.client, &l.server} {
		closeAll(e.rights)
		e.pending, e.rights = nil, nil
		if e.fd >= 0 {
			r.ends[e.fd] = nil
			// Never removed by its close alone: a descriptor may be shared.
			if e.events != 0 {
				unix.EpollCtl(r.epoll, unix.EPOLL_CTL_DEL, e.fd, nil)
			}
			unix.Close(e.fd)
		}
	}
	r.count--
	r.idleSince = r.now
}

// identify numbers the descriptors of a message, which it borrows.
func (r *Relay) identify(e *end, fds []int) {
	r.tokens = r.tokens[:0]
	for _, fd := range fds {
		number := 0
		if e.toServer() {
			number = r.numbers.sent(cookie(fd))
		} else {
			number = r.numbers.handedOut(cookie(fd))
		}
		r.tokens = append(r.tokens, number)
	}
}

// record notes a message that was passed on, with the descriptors that identify
// has numbered.
func (r *Relay) record(e *end, p []byte) {
	kind := eventSend
	if !e.toServer() {
		kind = eventReceive
	}
	r.config.Recorder.note(event{kind: kind, client: e.link.number, at: time.Now(), tokens: r.tokens}, p)
}
