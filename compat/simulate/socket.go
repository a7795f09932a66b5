package simulate

import (
	"golang.org/x/sys/unix"
)

// A socket is one end of a UNIX-domain stream connection.
type socket struct {
	file  *file // of this end
	peer  *socket
	talk  *conversation // of the server's end
	queue []segment     // to be read here
	used  int           // memory that the queue takes
	room  int           // and may take

	readShut, writeShut bool
	closed              bool
	reset               bool // ECONNRESET is to be told
	passRights          bool
	outOfBand           bool // an urgent byte is out of band, as it is at first
}

// A segment is what was sent at a time.
type segment struct {
	data   []byte
	files  []*file // on their way; a reference of each is the segment's
	urgent bool
}

// overhead is the memory that a segment takes besides its data.
const overhead = 256

// pair makes a connection.
func (w *world) pair(room int) (client, service *socket) {
	ends := [2]*socket{}
	for i := range ends {
		f := w.newFile(connection)
		f.refs = 1
		ends[i] = &socket{file: f, room: room, passRights: true, outOfBand: true}
		f.sock = ends[i]
	}
	ends[0].peer, ends[1].peer = ends[1], ends[0]
	return ends[0], ends[1]
}

// send sends what fits. Of files it takes a reference each, when it works.
func (w *world) send(s *socket, data []byte, files []*file, urgent bool) (int, unix.Errno) {
	p := s.peer
	if s.reset {
		s.reset = false
		return 0, unix.ECONNRESET
	}
	if s.writeShut || p.closed || p.readShut {
		return 0, unix.EPIPE
	}
	if len(files) > 0 && !p.passRights {
		return 0, unix.EPERM
	}
	if w.flying+len(files) > w.plan.flightLimit {
		return 0, unix.ETOOMANYREFS
	}
	free := p.room - p.used - overhead
	if free <= 0 {
		return 0, unix.EAGAIN
	}
	n := min(len(data), free)
	for _, f := range files {
		f.refs++
	}
	w.flying += len(files)
	p.queue = append(p.queue, segment{append([]byte(nil), data[:n]...), files, urgent})
	p.used += overhead + n
	return n, 0
}

// receive reads into p. The references of the files pass to the caller.
func (w *world) receive(s *socket, p []byte) (n int, files []*file, err unix.Errno) {
	for len(s.queue) > 0 && n < len(p) {
		head := &s.queue[0]
		if head.urgent && s.outOfBand {
			// The byte is passed over, and what came with it is closed in this call.
			for _, f := range head.files {
				w.flying--
				w.now += w.release(f)
			}
			w.dequeue(s)
			continue
		}
		if head.urgent && n > 0 {
			break
		}
		got := copy(p[n:], head.data)
		n += got
		head.data = head.data[got:]
		s.used -= got
		files, head.files = head.files, nil
		w.flying -= len(files)
		if len(head.data) == 0 {
			w.dequeue(s)
		}
		if len(files) > 0 {
			break
		}
	}
	if n > 0 {
		w.wakeWriter(s.peer)
		return n, files, 0
	}
	switch {
	case s.reset:
		s.reset = false
		return 0, nil, unix.ECONNRESET
	case s.readShut || s.peer.closed || s.peer.writeShut:
		return 0, nil, 0
	}
	return 0, nil, unix.EAGAIN
}

func (w *world) dequeue(s *socket) {
	s.used -= overhead + len(s.queue[0].data)
	s.queue = s.queue[1:]
}

// closeSocket closes an end, and returns how long that takes.
func (w *world) closeSocket(s *socket) (took int64) {
	s.closed = true
	if len(s.queue) > 0 {
		s.peer.reset = true
	}
	for _, segment := range s.queue {
		for _, f := range segment.files {
			w.flying--
			took += w.release(f)
		}
	}
	s.queue, s.used = nil, 0
	w.wakeWriter(s.peer)
	return took
}

func (s *socket) queued() (n int) {
	for i := range s.queue {
		n += len(s.queue[i].data)
	}
	return n
}

// events are what epoll would say about an end.
func (s *socket) events() (events uint32) {
	if s.reset {
		events |= unix.EPOLLERR
	}
	over := s.readShut || s.peer.closed || s.peer.writeShut
	if over && (s.writeShut || s.peer.closed || s.peer.readShut) {
		events |= unix.EPOLLHUP
	}
	if over {
		events |= unix.EPOLLRDHUP
	}
	if over || len(s.queue) > 0 {
		events |= unix.EPOLLIN
	}
	if s.peer.used*4 <= s.peer.room {
		events |= unix.EPOLLOUT
	}
	return events
}

// end is the socket of a client that the server uses.
func (w *world) end(fd int, call string) *socket {
	d := w.get(fd, call)
	if d.file.kind != connection {
		w.fail("%s of descriptor %d, which is a client's session", call, fd)
	}
	return d.file.sock
}

// Receive is part of server.Kernel.
func (w *world) Receive(fd int, p []byte) (n int, fds []int, truncated bool, err error) {
	w.call("receive from %d, at most %d", fd, len(p))
	s := w.end(fd, "receive")
	t := w.conversation(fd)
	if errno := w.faulty(receiveFaults); errno != 0 {
		t.excuse()
		return 0, nil, false, errno
	}
	n, files, errno := w.receive(s, p)
	if errno != 0 {
		if errno != unix.EAGAIN {
			t.gone()
		}
		return 0, nil, false, errno
	}
	w.fds = w.fds[:0]
	for _, f := range files {
		if got := w.install(f); got >= 0 {
			w.fds = append(w.fds, got)
			w.table[got].session = &session{number: -1, state: stray, fd: got}
		} else {
			truncated = true
			w.lose(f)
		}
	}
	w.say("  %q with %d, lost %v", p[:n], w.fds, truncated)
	w.received(t)
	if n == 0 {
		t.gone()
	} else {
		t.input(p[:n], w.fds, truncated)
	}
	return n, w.fds, truncated, nil
}

// Front is part of server.Kernel.
func (w *world) Front(fd int, p []byte) (n int, carries bool, errno unix.Errno) {
	w.call("look at %d, at most %d", fd, len(p))
	s := w.end(fd, "look")
	if errno := w.faulty(receiveFaults); errno != 0 {
		w.conversation(fd).excuse()
		return 0, false, errno
	}
	for i, segment := range s.queue {
		if segment.urgent && s.outOfBand || segment.urgent && i > 0 || n == len(p) {
			break
		}
		n += copy(p[n:], segment.data)
		if carries = len(segment.files) > 0; carries {
			break
		}
	}
	switch {
	case n > 0:
		return n, carries, 0
	case s.reset:
		s.reset = false
		w.conversation(fd).gone()
		return 0, false, unix.ECONNRESET
	case s.readShut || s.peer.closed || s.peer.writeShut:
		w.conversation(fd).gone()
		return 0, false, 0
	}
	return 0, false, unix.EAGAIN
}

// roomForMessages is with how many descriptors a server always has room for those
// of a whole message. With fewer it may lose some, which the kernel closes at once.
const roomForMessages = 3 * (253 + 2*16)

// lose closes a descriptor for which there was no room.
func (w *world) lose(f *file) {
	took := w.release(f)
	w.now += took
	if len(w.table) < roomForMessages {
		w.turn.lost += took
	}
}

// Write is part of server.Kernel.
func (w *world) Write(fd int, p []byte) (int, unix.Errno) {
	w.call("write %d bytes to %d", len(p), fd)
	d := w.get(fd, "write")
	if d.file.kind != connection || w.conversation(fd) != d.file.sock.talk || d.file.sock.talk == nil {
		w.fail("%q is written to descriptor %d, which is a client's session", p, fd)
	}
	t := d.file.sock.talk
	t.says(p)
	if errno := w.faulty(writeFaults); errno != 0 {
		w.say("  %v", errno)
		if errno != unix.EINTR {
			t.excuse()
		}
		return 0, errno
	}
	q := p
	if len(p) > 1 && w.rand.IntN(8) == 0 {
		q = p[:1+w.rand.IntN(len(p)-1)]
	}
	n, errno := w.send(d.file.sock, q, nil, false)
	if errno == unix.EPIPE || errno == unix.ECONNRESET {
		t.gone()
	}
	w.say("  %q, %d bytes of it, %v", p, n, errno)
	t.said(n)
	return n, errno
}

// SendDescriptor is part of server.Kernel.
func (w *world) SendDescriptor(fd, session int) error {
	w.call("send %d to %d", session, fd)
	s, d := w.end(fd, "send"), w.get(session, "send")
	t := w.conversation(fd)
	t.sends(d, session)
	errno := w.faulty(sendFaults)
	if errno == 0 {
		_, errno = w.send(s, []byte{0}, []*file{d.file}, false)
	}
	w.say("  %v", errno)
	switch errno {
	case 0:
		d.sent = true
		t.sent()
		return nil
	case unix.EAGAIN:
	case unix.EPIPE, unix.ECONNRESET:
		t.gone()
	default:
		t.excuse()
	}
	return errno
}

// Shutdown is part of server.Kernel.
func (w *world) Shutdown(fd, how int) {
	w.call("shutdown %d, %d", fd, how)
	s := w.end(fd, "shutdown")
	w.conversation(fd).shut()
	w.shutdown(s, how)
}

func (w *world) shutdown(s *socket, how int) {
	s.readShut = s.readShut || how != unix.SHUT_WR
	s.writeShut = s.writeShut || how != unix.SHUT_RD
	w.wakeWriter(s.peer)
}
