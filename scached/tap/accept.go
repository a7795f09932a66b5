package tap

import (
	"golang.org/x/sys/unix"
)

// accept takes the clients that wait, some in a turn.
func (r *Relay) accept(listening int) {
	r.notify(false)
	defer r.notify(true)
	for range acceptBatch {
		fd, _, err := unix.Accept4(listening, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
		switch err {
		case nil:
			r.begin(fd)
		case unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM:
			r.pause(err)
			return
		default:
			return
		}
	}
}

func (r *Relay) notify(available bool) {
	if r.config.Notify != nil {
		r.config.Notify(available)
	}
}

// pause accepts no client for a while.
func (r *Relay) pause(err error) {
	if !r.acceptAt.IsZero() {
		return
	}
	r.config.Log.Warning("no more clients for now: " + err.Error())
	r.acceptAt = r.now.Add(pauseTime)
	r.listen(false)
}

// begin makes a link of a client, of whom it takes ownership.
func (r *Relay) begin(client int) {
	server, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		unix.Close(client)
		r.pause(err)
		return
	}
	r.last++
	r.count++
	l := &link{number: r.last}
	l.client = end{fd: client, link: l, other: &l.server}
	l.server = end{fd: server, link: l, other: &l.client}
	for _, e := range []*end{&l.client, &l.server} {
		for e.fd >= len(r.ends) {
			r.ends = append(r.ends, make([]*end, e.fd+1-len(r.ends)+64)...)
		}
		r.ends[e.fd] = e
		// Out of band, the kernel would close a descriptor while the byte that it came
		// with is read.
		unix.SetsockoptInt(e.fd, unix.SOL_SOCKET, unix.SO_OOBINLINE, 1)
	}
	r.config.Recorder.note(event{kind: eventConnect, client: l.number, at: r.now}, nil)
	r.connect(l)
	if !l.connected && !l.closed {
		r.connecting = append(r.connecting, l)
	}
}

// connect connects a link to the server, if that has room for one more connection.
// Without a server the client is as it is without a tap and without a server.
func (r *Relay) connect(l *link) {
	err := unix.Connect(l.server.fd, &unix.SockaddrUnix{Name: r.config.Server})
	switch err {
	case nil:
		l.connected = true
		r.watch(&l.server)
		r.watch(&l.client)
	case unix.EAGAIN, unix.EINTR:
	default:
		r.config.Log.Warning("connect to " + r.config.Server + ": " + err.Error())
		r.config.Recorder.note(event{kind: eventEnd, client: l.number, at: r.now}, nil)
		r.close(l)
	}
}

// connectAgain tries those that there was no room for.
func (r *Relay) connectAgain() {
	waiting := r.connecting[:0]
	for _, l := range r.connecting {
		if r.connect(l); !l.connected && !l.closed {
			waiting = append(waiting, l)
		}
	}
	r.connecting = waiting
}
