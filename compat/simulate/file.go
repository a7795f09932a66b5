package simulate

import "golang.org/x/sys/unix"

// A fileKind is what an open file is.
type fileKind uint8

const (
	connection fileKind = iota // to the service socket
	tcp                        // a session
	local                      // a session through another process, a UNIX-domain socket
	foreign                    // anything else
	listening                  // the service socket
	own                        // what the server's process has besides
)

// A file is what descriptors stand for.
type file struct {
	number    int
	kind      fileKind
	refs      int // descriptors in any process, and on their way
	closeTime int64
	sock      *socket // of a connection
	listener  bool    // it is one, and a session's kind
	linger    bool
	upper     bool // another protocol is on top of TCP
	spoke     bool // the remote end has said something
	lowWater  bool // less than poll(2) has to tell
	ended     bool // the remote end has closed its side
}

// dead tells whether a session is not fit to be handed out.
func (f *file) dead() bool { return f.spoke || f.ended }

// A descriptor is one of the server's.
type descriptor struct {
	file       *file
	background bool // given away to be closed
	session    *session
	sent       bool // handed over
	lent       bool // to the kernel, for QUIT
	arrived    int64
}

// newFile is a file that nobody has yet.
func (w *world) newFile(kind fileKind) *file {
	w.files++
	f := &file{number: w.files, kind: kind, closeTime: 10 * us}
	return f
}

// release gives one descriptor of a file up, and returns how long that takes.
func (w *world) release(f *file) (took int64) {
	f.refs--
	if f.refs < 0 {
		panic("simulate: a file has too few descriptors")
	}
	if f.refs > 0 {
		return us
	}
	took = f.closeTime
	w.forgetWatches(f)
	if s := f.sock; s != nil {
		took += w.closeSocket(s)
	}
	return took
}

// install gives the server a descriptor of a file, the lowest that is free. The
// reference passes to it.
func (w *world) install(f *file) int {
	for fd := range w.table {
		if w.table[fd] == nil {
			w.table[fd] = &descriptor{file: f, arrived: w.now}
			w.open++
			return fd
		}
	}
	return -1
}

func (w *world) free() int { return len(w.table) - w.open }

// get is a descriptor that the server uses.
func (w *world) get(fd int, call string) *descriptor {
	if fd < 0 || fd >= len(w.table) || w.table[fd] == nil {
		w.fail("%s of descriptor %d, which is not open", call, fd)
	}
	d := w.table[fd]
	if d.background {
		w.fail("%s of descriptor %d, which was given away to be closed", call, fd)
	}
	if d.lent {
		w.fail("%s of descriptor %d, which is lent to the kernel", call, fd)
	}
	return d
}

// Close is part of server.Kernel.
func (w *world) Close(fd int) {
	w.call("close %d", fd)
	w.closing(fd, w.get(fd, "close"))
	w.now += w.remove(fd)
}

func (w *world) remove(fd int) (took int64) {
	d := w.table[fd]
	w.table[fd] = nil
	w.open--
	return w.release(d.file)
}

// closing looks at a descriptor that the server does not want any more.
func (w *world) closing(fd int, d *descriptor) {
	if d.file.kind == own || d.file.kind == listening {
		w.fail("descriptor %d is closed, which is none of the clients'", fd)
	}
	if w.watching(fd) >= 0 {
		w.fail("descriptor %d is closed while it is watched", fd)
	}
	if d.file.kind == connection && d.file.sock.talk != nil && w.conversation(fd) == d.file.sock.talk {
		d.file.sock.talk.disconnected()
	} else if d.session != nil {
		w.model.closed(d)
	}
}

// conversation is the one that the server has over a descriptor, nil if it is
// none of a client that it has accepted.
func (w *world) conversation(fd int) *conversation {
	if fd < len(w.talks) && fd >= 0 {
		return w.talks[fd]
	}
	return nil
}

// A task closes a descriptor in the background.
type task struct {
	fd         int
	connection bool
	running    bool
	done       int64
}

const (
	closers        = 16
	foreignClosers = 8
	closePatience  = 100 * ms
)

// CloseInBackground is part of server.Kernel.
func (w *world) CloseInBackground(fd int, connection bool) {
	w.call("close %d in the background", fd)
	d := w.get(fd, "close in the background")
	w.closing(fd, d)
	d.background = true
	if len(w.tasks) == 0 {
		w.lastClosed = w.now
	}
	w.tasks = append(w.tasks, task{fd: fd, connection: connection})
	w.startTasks()
}

// startTasks lets the threads of the background begin with what they can.
func (w *world) startTasks() {
	running, strangers := 0, 0
	for i := range w.tasks {
		if w.tasks[i].running {
			running++
			if !w.tasks[i].connection {
				strangers++
			}
		}
	}
	for i := range w.tasks {
		t := &w.tasks[i]
		if t.running || running == closers || !t.connection && strangers == foreignClosers {
			continue
		}
		d := w.table[t.fd]
		took := w.duration(d.file)
		if t.connection && d.file.kind == tcp {
			took = min(took, closePatience)
		}
		t.running, t.done = true, w.now+took
		running++
		if !t.connection {
			strangers++
		}
	}
}

// duration is how long it will take to give up a descriptor of a file.
func (w *world) duration(f *file) int64 {
	if f.refs > 1 {
		return us
	}
	took := f.closeTime
	if f.sock != nil {
		for _, s := range f.sock.queue {
			for _, inside := range s.files {
				took += w.duration(inside)
			}
		}
	}
	return took
}

// finishTasks ends the closes that are over.
func (w *world) finishTasks() {
	w.finishErrands()
	for i := 0; i < len(w.tasks); {
		t := w.tasks[i]
		if !t.running || t.done > w.now {
			i++
			continue
		}
		w.remove(t.fd)
		w.woken = true
		w.lastClosed = w.now
		w.tasks = append(w.tasks[:i], w.tasks[i+1:]...)
		w.startTasks()
		i = 0
	}
}

// Closing is part of server.Kernel.
func (w *world) Closing() int { return len(w.tasks) }

// CloseProgress is part of server.Kernel.
func (w *world) CloseProgress() (moving bool, hanging int) {
	for _, t := range w.tasks {
		if t.running && t.done > w.now+forever/2 {
			hanging++
		}
	}
	return len(w.tasks) > 0 && w.now-w.lastClosed < 2*closePatience, hanging
}

// Limit is part of server.Kernel.
func (w *world) Limit() (most, used int, err error) { return len(w.table), w.open, nil }

// Release is part of server.Kernel.
func (w *world) Release() { w.released = true }

// Accept is part of server.Kernel.
func (w *world) Accept(listen int) (int, unix.Errno) {
	w.call("accept from %d", listen)
	w.get(listen, "accept")
	err := w.faulty(acceptFaults)
	if len(w.backlog) > 0 && w.now < w.noFiles {
		err = unix.ENFILE
	}
	if err != 0 {
		w.say("  %v", err)
		if err != unix.EINTR && err != unix.ECONNABORTED {
			w.model.relaxed = true // the server gives something up for it
		}
		return -1, err
	}
	if len(w.backlog) == 0 {
		return -1, unix.EAGAIN
	}
	if w.free() == 0 {
		return -1, unix.EMFILE
	}
	s := w.backlog[0]
	w.backlog = w.backlog[1:]
	fd := w.install(s.file)
	for fd >= len(w.talks) {
		w.talks = append(w.talks, nil)
	}
	w.talks[fd] = s.talk
	s.talk.accepted(fd)
	w.say("  %d: %s", fd, s.talk.client.name)
	return fd, 0
}
