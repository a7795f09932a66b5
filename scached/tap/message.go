package tap

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// messageSize is how many bytes are passed on at a time.
	messageSize = 16 << 10
	// maxDescriptors is SCM_MAX_FD, the most that one message can hold.
	maxDescriptors = 253
)

// A messenger takes messages off local stream sockets and puts them onto others.
// It holds the buffers for that; one serves any number of sockets, none of which
// it owns. No call waits. Errors are [unix.Errno], 0 for none.
type messenger struct {
	header  unix.Msghdr
	iov     unix.Iovec
	control [(unix.SizeofCmsghdr + 4*maxDescriptors + 7) / 8]uint64
	fds     [maxDescriptors]int
	buffer  [messageSize]byte
}

func (m *messenger) prepare(p []byte, control int) {
	m.iov.Base = unsafe.SliceData(p)
	m.iov.SetLen(len(p))
	m.header = unix.Msghdr{Iov: &m.iov}
	m.header.SetIovlen(1)
	if control > 0 {
		m.header.Control = (*byte)(unsafe.Pointer(&m.control))
		m.header.SetControllen(control)
	}
}

func (m *messenger) call(number uintptr, sock, flags int) (n int, errno unix.Errno) {
	for {
		r, _, errno := unix.RawSyscall(number, uintptr(sock), uintptr(unsafe.Pointer(&m.header)), uintptr(flags|unix.MSG_DONTWAIT))
		if errno == 0 {
			return int(r), 0
		}
		if errno != unix.EINTR {
			return 0, errno
		}
	}
}

// front looks at what a socket has: how many bytes a receive would bring, and
// whether descriptors would come with them, or after them. The kernel says so when
// it is given no room for one, and keeps it. An end of stream is 0 bytes without an
// error.
func (m *messenger) front(sock int) (n int, carries bool, errno unix.Errno) {
	m.prepare(m.buffer[:], 0)
	n, errno = m.call(unix.SYS_RECVMSG, sock, unix.MSG_PEEK)
	return n, m.header.Flags&unix.MSG_CTRUNC != 0, errno
}

// takeFront receives the first message of what front has seen. A receive ends after
// the bytes that descriptors came with, but it may begin before them, and nothing
// tells where they begin. In Postfix it is always a single byte
// (src/util/unix_send_fd.c); so what comes before that byte is received without it.
// Bytes that were sent together with descriptors stay together; only if there are
// several of them, and others before that were not received yet, those are joined
// to them.
func (m *messenger) takeFront(sock, n int, carries bool) (p []byte, fds []int, errno unix.Errno) {
	if !carries || n == 1 {
		return m.take(sock, m.buffer[:n], carries)
	}
	p, fds, errno = m.take(sock, m.buffer[:n-1], true)
	if errno != 0 || len(fds) == 0 {
		return p, nil, errno
	}
	last, more, errno := m.take(sock, m.buffer[n-1:n], false)
	closeAll(more) // none
	return m.buffer[:len(p)+len(last)], fds, errno
}

// take receives into p. The bytes are valid until the next call. The descriptors
// pass to the caller.
func (m *messenger) take(sock int, p []byte, carries bool) (got []byte, fds []int, errno unix.Errno) {
	control := 0
	if carries {
		control = len(m.control) * 8
	}
	m.prepare(p, control)
	n, errno := m.call(unix.SYS_RECVMSG, sock, unix.MSG_CMSG_CLOEXEC)
	if errno == 0 && carries && m.header.Controllen > 0 {
		fds = m.received()
	}
	return p[:n], fds, errno
}

// received are the descriptors in the control buffer: all of one message.
func (m *messenger) received() []int {
	header := (*unix.Cmsghdr)(unsafe.Pointer(&m.control))
	length := min(int(header.Len), int(m.header.Controllen))
	if length < unix.SizeofCmsghdr || header.Level != unix.SOL_SOCKET || header.Type != unix.SCM_RIGHTS {
		return nil
	}
	fds := m.fds[:0]
	for _, fd := range m.rights()[:min((length-unix.SizeofCmsghdr)/4, maxDescriptors)] {
		fds = append(fds, int(fd))
	}
	return fds
}

// rights is the room for descriptors in the control buffer.
func (m *messenger) rights() *[maxDescriptors]int32 {
	return (*[maxDescriptors]int32)(unsafe.Add(unsafe.Pointer(&m.control), unix.SizeofCmsghdr))
}

// send sends bytes, and with the first of them descriptors, which it borrows. Fewer
// bytes may be taken than there are.
func (m *messenger) send(sock int, p []byte, fds []int) (n int, errno unix.Errno) {
	control := 0
	if len(fds) > 0 {
		header := (*unix.Cmsghdr)(unsafe.Pointer(&m.control))
		*header = unix.Cmsghdr{Level: unix.SOL_SOCKET, Type: unix.SCM_RIGHTS}
		header.SetLen(unix.SizeofCmsghdr + 4*len(fds))
		for i, fd := range fds {
			m.rights()[i] = int32(fd)
		}
		control = (unix.SizeofCmsghdr + 4*len(fds) + 7) &^ 7
	}
	m.prepare(p, control)
	return m.call(unix.SYS_SENDMSG, sock, unix.MSG_NOSIGNAL)
}

// allRead tells whether the other end of a socket has read all that it was sent.
// What it reads goes off the count in two steps, the second of which, of 1, may
// come later.
func allRead(sock int) bool {
	var n int32
	_, _, errno := unix.RawSyscall(unix.SYS_IOCTL, uintptr(sock), unix.SIOCOUTQ, uintptr(unsafe.Pointer(&n)))
	return errno != 0 || n <= 1
}

// cookie is the number that tells a socket from all others, for ever; 0 for what
// is no socket.
func cookie(fd int) (number uint64) {
	size := uint32(unsafe.Sizeof(number))
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_COOKIE,
		uintptr(unsafe.Pointer(&number)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0
	}
	return number
}

func closeAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}
