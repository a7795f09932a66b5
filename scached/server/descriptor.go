package server

import (
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kind is what we have to know of a client's descriptor. It never changes.
type kind uint8

const (
	foreign  kind = iota // anything at all
	internet             // a TCP socket
	local                // a UNIX-domain stream socket
)

const (
	// sweepTime is how much of a turn may be spent on closing descriptors.
	sweepTime = 200 * time.Microsecond
	// mostClosing is how many descriptors may be waiting to be closed while new
	// clients are accepted.
	mostClosing = 512
	// mostInMessage is SCM_MAX_FD, the most descriptors that a message can hold.
	mostInMessage = 253
)

// Descriptors are those that clients have sent, from when they came until they
// are closed. Each is only one of many names of something that other processes
// use: it is looked at in ways that take no lock, and never changed. It can be
// anything, whose owner decides how long it takes to close it.
type descriptors struct {
	open    atomic.Int64 // those that are not closed yet
	kinds   []kind       // by descriptor
	closing []int        // to be closed by the loop, unless it takes time
	closer  closer
}

// adopt takes ownership of a descriptor that came from a client.
func (d *descriptors) adopt(fd int) {
	d.open.Add(1)
	for fd >= len(d.kinds) {
		d.kinds = append(d.kinds, make([]kind, fd+1-len(d.kinds)+256)...)
	}
	k := foreign
	switch socketOption(fd, unix.SO_DOMAIN) {
	case unix.AF_INET, unix.AF_INET6:
		if socketOption(fd, unix.SO_PROTOCOL) == unix.IPPROTO_TCP {
			k = internet
		}
	case unix.AF_UNIX:
		if socketOption(fd, unix.SO_TYPE) == unix.SOCK_STREAM {
			k = local
		}
	}
	d.kinds[fd] = k
}

// close closes a descriptor soon. To close a connection takes the kernel about
// ten microseconds, and thousands can expire in the same second.
func (d *descriptors) close(fd int) { d.closing = append(d.closing, fd) }

// sweep closes some of the descriptors that are to be closed, those in the
// background that can take time.
func (d *descriptors) sweep() {
	const few = 8 // between two looks at the clock
	var start time.Time
	for n := 0; len(d.closing) > 0; n++ {
		if n == few {
			start = time.Now()
		} else if n%few == 0 && n > 0 && time.Since(start) >= sweepTime {
			return
		}
		last := len(d.closing) - 1
		fd := d.closing[last]
		d.closing = d.closing[:last]
		if d.plain(fd) {
			closeNow(fd)
			d.open.Add(-1)
		} else {
			d.closer.close(fd, d.kinds[fd], &d.open)
		}
	}
}

// crowded tells that much is still to be closed, and will be soon. It is the
// work of clients who have been disconnected; new ones could make it more.
func (d *descriptors) crowded() bool {
	return len(d.closing) > mostClosing || d.closer.pending.Load() > mostClosing && d.closer.moving()
}

// moving tells that there will soon be fewer descriptors.
func (d *descriptors) moving() bool { return len(d.closing) > 0 || d.closer.moving() }

// plain tells whether a close cannot take long: that of a connected TCP socket
// that does not linger, or of a local stream socket with an empty receive queue.
// In a queue there can be other descriptors, which are closed with it; so are the
// connections that a listening socket has not accepted. Other protocols on top
// of TCP may do as they like.
func (d *descriptors) plain(fd int) bool {
	switch d.kinds[fd] {
	case internet:
		return socketOption(fd, unix.SO_ACCEPTCONN) == 0 && !lingers(fd) && onlyTCP(fd)
	case local:
		// SIOCINQ does not see an urgent byte that has been read, and that may
		// hold descriptors all the same.
		return socketOption(fd, unix.SO_ACCEPTCONN) == 0 && look(fd, unix.POLLIN)&unix.POLLIN == 0
	}
	return false
}

func lingers(fd int) bool {
	var linger unix.Linger
	size := uint32(unix.SizeofLinger)
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_LINGER,
		uintptr(unsafe.Pointer(&linger)), uintptr(unsafe.Pointer(&size)), 0)
	return errno != 0 || linger.Onoff != 0 && linger.Linger != 0
}

// onlyTCP tells that a TCP socket has no upper layer protocol, such as TLS.
func onlyTCP(fd int) bool {
	var name [16]byte
	size := uint32(len(name))
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_TCP, unix.TCP_ULP,
		uintptr(unsafe.Pointer(&name)), uintptr(unsafe.Pointer(&size)), 0)
	return errno == 0 && size == 0 || errno == unix.ENOPROTOOPT // which an old kernel says
}

// nothingQueued tells whether the receive queue of a client is empty.
func nothingQueued(fd int) bool { return queued(fd, unix.SIOCINQ) == 0 }

// allRead tells whether a client has read all that it was sent. A message that it
// reads goes off the count in two steps, the second of which, of 1, comes after
// the event for it; each message counts for hundreds.
func allRead(fd int) bool { return queued(fd, unix.SIOCOUTQ) <= 1 }

// queued is how many bytes there are in one direction of a socket, -1 if that
// cannot be said.
func queued(fd, direction int) int32 {
	var n int32
	_, _, errno := unix.RawSyscall(unix.SYS_IOCTL, uintptr(fd), uintptr(direction), uintptr(unsafe.Pointer(&n)))
	if errno != 0 {
		return -1
	}
	return n
}

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
		return look(fd, bad)&bad == 0 && received(fd) == 0
	case local:
		return look(fd, bad)&bad == 0
	}
	return true
}

// look is what poll(2) says at once.
func look(fd int, events int16) int16 {
	poll := unix.PollFd{Fd: int32(fd), Events: events}
	var atOnce unix.Timespec
	_, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&poll)), 1,
		uintptr(unsafe.Pointer(&atOnce)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return poll.Revents
}

// received is how much memory what has come to a socket takes; 0 where the
// kernel does not say.
func received(fd int) uint32 {
	var memory [9]uint32 // SK_MEMINFO_VARS; the first one is SK_MEMINFO_RMEM_ALLOC
	size := uint32(unsafe.Sizeof(memory))
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&memory)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0
	}
	return memory[0]
}

// socketOption is a number that the kernel knows about a socket, -1 for what is
// not a socket.
func socketOption(fd, name int) int {
	var value int32
	size := uint32(unsafe.Sizeof(value))
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, uintptr(name),
		uintptr(unsafe.Pointer(&value)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return -1
	}
	return int(value)
}

func setSocketOption(fd, name int, on bool) (ok bool) {
	var value int32
	if on {
		value = 1
	}
	_, _, errno := unix.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, uintptr(name),
		uintptr(unsafe.Pointer(&value)), unsafe.Sizeof(value), 0)
	return errno == 0
}

// closeNow closes what cannot take time.
func closeNow(fd int) { unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0) }
