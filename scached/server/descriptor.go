package server

import (
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kind is what we have to know of a client's descriptor.
type kind uint8

const (
	foreign  kind = iota // anything at all
	internet             // a TCP socket
	local                // a UNIX-domain stream socket
)

// Descriptors are those that clients have sent, from when they came until they
// are closed. Each is only one of many names of something that other processes
// use: it is looked at in ways that take no lock, and never changed. It can be
// anything, whose owner decides how long it takes to close it.
type descriptors struct {
	open   atomic.Int64 // those that are not closed yet
	kinds  []kind       // by descriptor
	doomed []int        // to be closed
	closer closer
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
		k = internet
	case unix.AF_UNIX:
		if socketOption(fd, unix.SO_TYPE) == unix.SOCK_STREAM {
			k = local
		}
	}
	d.kinds[fd] = k
}

// close dooms a descriptor to be closed soon. To close a connection takes the
// kernel about ten microseconds, and thousands can expire in the same second.
func (d *descriptors) close(fd int) { d.doomed = append(d.doomed, fd) }

// sweep closes at most some of the descriptors that are to be closed, those in
// the background that can take time.
func (d *descriptors) sweep(most int) {
	for ; most > 0 && len(d.doomed) > 0; most-- {
		last := len(d.doomed) - 1
		fd := d.doomed[last]
		d.doomed = d.doomed[:last]
		if d.closesAtOnce(fd) {
			unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0)
			d.open.Add(-1)
		} else {
			d.closer.close(fd, &d.open)
		}
	}
}

// closesAtOnce tells whether a close cannot block: that of a TCP socket that
// does not linger, or of a local stream socket with an empty receive queue. In
// a queue there can be other descriptors, which are closed with it.
func (d *descriptors) closesAtOnce(fd int) bool {
	switch d.kinds[fd] {
	case internet:
		var linger unix.Linger
		size := uint32(unix.SizeofLinger)
		_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_LINGER,
			uintptr(unsafe.Pointer(&linger)), uintptr(unsafe.Pointer(&size)), 0)
		return errno == 0 && (linger.Onoff == 0 || linger.Linger == 0)
	case local:
		return nothingQueued(fd)
	}
	return false
}

// nothingQueued tells whether the receive queue of a local stream socket is
// empty.
func nothingQueued(fd int) bool {
	var queued int32
	_, _, errno := unix.RawSyscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCINQ, uintptr(unsafe.Pointer(&queued)))
	return errno == 0 && queued == 0
}

// live tells whether a session is fit to be handed out: nothing has come from
// its remote end since it was saved. An SMTP server that says something unasked
// for ends the SMTP session (421), as does one that closes the connection. What is
// not a connection is none of our business.
//
// To look at the bytes themselves (MSG_PEEK) would take a lock, which another
// process with the same socket can hold for as long as it likes; and to poll
// what is no socket may ask a file system that somebody else serves.
func (d *descriptors) live(fd int) bool {
	if d.kinds[fd] == foreign {
		return true
	}
	const bad = unix.POLLIN | unix.POLLRDHUP | unix.POLLERR
	poll := unix.PollFd{Fd: int32(fd), Events: unix.POLLIN | unix.POLLRDHUP}
	var atOnce unix.Timespec
	_, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&poll)), 1,
		uintptr(unsafe.Pointer(&atOnce)), 0, 0, 0)
	return errno != 0 || poll.Revents&bad == 0
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
