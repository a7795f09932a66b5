package server

import (
	"encoding/binary"
	"time"

	"golang.org/x/sys/unix"
)

// kind is what we have to know of a client's descriptor. It never changes.
type kind uint8

const (
	foreign  kind = iota // anything at all
	internet             // a TCP socket
	local                // a UNIX-domain stream socket
	unknown              // nobody has looked yet
)

const (
	// sweepTime is how much of a turn may be spent on closing descriptors.
	sweepTime = 200 * time.Microsecond
	// mostClosing is how many descriptors may be waiting to be closed while new
	// clients are accepted and half of all descriptors are in use.
	mostClosing = 512
	// mostInMessage is SCM_MAX_FD, the most descriptors that a message can hold.
	mostInMessage = 253
)

// Descriptors are those that clients have sent, from when they came until they
// are closed. Each is only one of many names of something that other processes
// use: it is looked at in ways that take no lock, and never changed. It can be
// anything, whose owner decides how long it takes to close it.
type descriptors struct {
	kernel  Kernel
	open    int       // those that are here
	kinds   []kind    // by descriptor
	closing []int     // to be closed by the loop, unless it takes time
	enough  time.Time // when this turn has closed for long enough; zero until that is known
	value   [64]byte  // of a socket option
}

// unclosed is how many are open, with those that are being closed in the
// background.
func (d *descriptors) unclosed() int { return d.open + d.kernel.Closing() }

// adopt takes ownership of a descriptor that came from a client.
func (d *descriptors) adopt(fd int) {
	d.adoptUnseen(fd)
	d.kinds[fd] = d.find(fd)
}

// adoptUnseen is adopt for what is only to be closed: there can be very many of
// those.
func (d *descriptors) adoptUnseen(fd int) {
	d.open++
	for fd >= len(d.kinds) {
		d.kinds = append(d.kinds, make([]kind, fd+1-len(d.kinds)+256)...)
	}
	d.kinds[fd] = unknown
}

// find finds out what a descriptor is. Of almost all of them one look is enough;
// the few that have the number of TCP and are something else are found when they
// are closed, see onlyTCP.
func (d *descriptors) find(fd int) kind {
	switch d.option(fd, unix.SO_PROTOCOL) {
	case unix.IPPROTO_TCP:
		return internet
	case 0:
		if d.isStream(fd, unix.AF_UNIX) {
			return local
		}
	}
	return foreign
}

// isStream tells whether a descriptor is a stream socket of a domain.
func (d *descriptors) isStream(fd, domain int) bool {
	return d.option(fd, unix.SO_TYPE) == unix.SOCK_STREAM && d.option(fd, unix.SO_DOMAIN) == domain
}

// close closes a descriptor soon. To close a connection takes the kernel about
// ten microseconds, and thousands can expire in the same second.
func (d *descriptors) close(fd int) { d.closing = append(d.closing, fd) }

// sweep closes some of the descriptors that are to be closed, those in the
// background that can take time. However often it is called in a turn, it closes
// for no longer than sweepTime, but each time at least as many as are needed.
func (d *descriptors) sweep(least int) {
	const few = 8 // between two looks at the clock
	for n := 0; len(d.closing) > 0; n++ {
		if n >= least && n%few == 0 {
			now := d.kernel.Now()
			if d.enough.IsZero() {
				d.enough = now.Add(sweepTime)
			} else if !now.Before(d.enough) {
				return
			}
		}
		last := len(d.closing) - 1
		fd := d.closing[last]
		d.closing = d.closing[:last]
		d.open--
		if d.kinds[fd] == unknown {
			d.kinds[fd] = d.find(fd)
		}
		if d.plain(fd) {
			d.kernel.Close(fd)
		} else {
			d.kernel.CloseInBackground(fd, d.kinds[fd] != foreign)
		}
	}
}

// crowded tells that much is still to be closed, and will be soon. It is the
// work of clients who have been disconnected; new ones could make it more.
func (d *descriptors) crowded() bool {
	return len(d.closing) > mostClosing || d.kernel.Closing() > mostClosing && d.moving()
}

// moving tells that there will soon be fewer descriptors.
func (d *descriptors) moving() bool {
	if len(d.closing) > 0 {
		return true
	}
	moving, _ := d.kernel.CloseProgress()
	return moving
}

// plain tells whether a close cannot take long: that of a connected TCP socket
// that does not linger, or of a local stream socket with an empty receive queue.
// In a queue there can be other descriptors, which are closed with it; so are the
// connections that a listening socket has not accepted. Other protocols on top
// of TCP may do as they like.
func (d *descriptors) plain(fd int) bool {
	switch d.kinds[fd] {
	case internet:
		return d.onlyTCP(fd) && d.option(fd, unix.SO_ACCEPTCONN) == 0 && !d.lingers(fd)
	case local:
		// SIOCINQ does not see an urgent byte that has been read, and that may
		// hold descriptors all the same.
		return d.option(fd, unix.SO_ACCEPTCONN) == 0 && d.kernel.Poll(fd, unix.POLLIN)&unix.POLLIN == 0
	}
	return false
}

func (d *descriptors) lingers(fd int) bool {
	const size = unix.SizeofLinger // whether it does, and for how many seconds
	n, err := d.kernel.GetOption(fd, unix.SOL_SOCKET, unix.SO_LINGER, d.value[:size])
	return err != 0 || n != size || d.number(0) != 0 && d.number(1) != 0
}

// onlyTCP tells that what has the number of TCP is TCP, and has no upper layer
// protocol, such as TLS.
func (d *descriptors) onlyTCP(fd int) bool {
	n, err := d.kernel.GetOption(fd, unix.SOL_TCP, unix.TCP_ULP, d.value[:16])
	if err == 0 {
		return n == 0
	}
	if !d.isStream(fd, unix.AF_INET) && !d.isStream(fd, unix.AF_INET6) {
		d.kinds[fd] = foreign
		return false
	}
	return err == unix.ENOPROTOOPT // which an old kernel says
}

// nothingQueued tells whether the receive queue of a client is empty.
func (s *Server) nothingQueued(fd int) bool { return s.kernel.Queued(fd, unix.SIOCINQ) == 0 }

// allRead tells whether a client has read all that it was sent. A message that it
// reads goes off the count in two steps, the second of which, of 1, comes after
// the event for it; each message counts for hundreds.
func (s *Server) allRead(fd int) bool { return s.kernel.Queued(fd, unix.SIOCOUTQ) <= 1 }

// live tells whether a session is fit to be handed out: it is connected, and
// nothing has come from its remote end since it was saved. An SMTP server that
// says something unasked for ends a session (421), as does one that closes the
// connection. What is not a connection is none of our business.
//
// To look at the bytes themselves (MSG_PEEK), or at the state of the connection
// (TCP_INFO), would take a lock, which another process with the same socket can
// hold for as long as it likes; and to poll what is no socket may ask a file
// system that somebody else serves. So a TCP socket that was only shut down for
// writing is taken for a live one.
func (d *descriptors) live(fd int) bool {
	const bad = unix.POLLIN | unix.POLLPRI | unix.POLLRDHUP | unix.POLLERR | unix.POLLHUP | unix.POLLNVAL
	switch d.kinds[fd] {
	case internet:
		// Poll is silent about less than SO_RCVLOWAT bytes.
		return d.kernel.Poll(fd, bad)&bad == 0 && d.received(fd) == 0
	case local:
		return d.kernel.Poll(fd, bad)&bad == 0
	}
	return true
}

// received is how much memory what has come to a socket takes; 0 where the
// kernel does not say.
func (d *descriptors) received(fd int) uint32 {
	const size = 4 * 9 // SK_MEMINFO_VARS; the first one is SK_MEMINFO_RMEM_ALLOC
	if _, err := d.kernel.GetOption(fd, unix.SOL_SOCKET, unix.SO_MEMINFO, d.value[:size]); err != 0 {
		return 0
	}
	return d.number(0)
}

// option is a number that the kernel knows about a socket, -1 for what is not a
// socket.
func (d *descriptors) option(fd, name int) int {
	if _, err := d.kernel.GetOption(fd, unix.SOL_SOCKET, name, d.value[:4]); err != 0 {
		return -1
	}
	return int(int32(d.number(0)))
}

// number is the i'th one of the value that the kernel gave last.
func (d *descriptors) number(i int) uint32 { return binary.NativeEndian.Uint32(d.value[4*i:]) }
