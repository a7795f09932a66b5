package attrproto

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// maxDescriptors is SCM_MAX_FD, the most descriptors that one message can
// hold. A control buffer for that many is never too small, so the kernel does
// not close descriptors behind our back; a close can block.
const maxDescriptors = 253

// otherControl is room for the other messages that the kernel adds to a local
// socket's when it is asked to, such as credentials.
const otherControl = 256

// A Receiver reads bytes together with the descriptors that come with them.
// It holds the buffers for that, one Receiver serves any number of sockets.
// The zero value is ready.
type Receiver struct {
	// Truncated tells that descriptors of the last message were lost, because
	// the process or the system has no more.
	Truncated bool

	header  unix.Msghdr
	iov     unix.Iovec
	control [(unix.SizeofCmsghdr + 4*maxDescriptors + otherControl) / 8]uint64
	fds     [maxDescriptors]int
}

// Receive reads at most len(p) bytes, at least one, from a local stream socket
// that it borrows, without waiting. The descriptors that came with them are
// close-on-exec and pass to the caller; the slice is valid until the next call.
// The kernel ends a message after the bytes that descriptors were sent with,
// so they belong to the last byte read or to a message that began before it.
//
// An end of stream is 0 bytes without an error. The error is a [unix.Errno];
// EAGAIN means that there is nothing to read now.
//
// From src/util/unix_recv_fd.c, which takes a single descriptor.
func (r *Receiver) Receive(sock int, p []byte) (n int, fds []int, err error) {
	r.Truncated = false
	r.iov.Base = unsafe.SliceData(p)
	r.iov.SetLen(len(p))
	r.header = unix.Msghdr{Iov: &r.iov, Control: (*byte)(unsafe.Pointer(&r.control))}
	r.header.SetIovlen(1)
	r.header.SetControllen(len(r.control) * 8)
	for {
		got, _, errno := unix.RawSyscall(unix.SYS_RECVMSG, uintptr(sock),
			uintptr(unsafe.Pointer(&r.header)), unix.MSG_CMSG_CLOEXEC|unix.MSG_DONTWAIT)
		if errno == 0 {
			n = int(got)
			break
		}
		if errno != unix.EINTR {
			r.iov.Base = nil
			return 0, nil, errno
		}
	}
	runtime.KeepAlive(p)
	r.iov.Base = nil
	r.Truncated = r.header.Flags&unix.MSG_CTRUNC != 0
	return n, r.descriptors(), nil
}

// descriptors collects what all control messages of a message hold.
func (r *Receiver) descriptors() []int {
	length := int(r.header.Controllen)
	if length == 0 {
		return nil
	}
	fds := r.fds[:0]
	control := unsafe.Slice((*byte)(unsafe.Pointer(&r.control)), length)
	for len(control) >= unix.SizeofCmsghdr {
		header := (*unix.Cmsghdr)(unsafe.Pointer(unsafe.SliceData(control)))
		end := int(header.Len)
		if end < unix.SizeofCmsghdr || end > len(control) {
			break
		}
		if header.Level == unix.SOL_SOCKET && header.Type == unix.SCM_RIGHTS {
			for i := unix.SizeofCmsghdr; i+4 <= end && len(fds) < cap(fds); i += 4 {
				fds = append(fds, int(*(*int32)(unsafe.Pointer(&control[i]))))
			}
		}
		control = control[min((end+7)&^7, len(control)):]
	}
	return fds
}

// SendDescriptor sends one NUL byte with a descriptor over a local stream
// socket. It borrows both: the receiver gets a descriptor of its own, and the
// caller still has to close fd. It does not wait; the error is a [unix.Errno],
// EAGAIN when the socket has no room.
//
// From src/util/unix_send_fd.c.
func SendDescriptor(sock, fd int) error {
	var control struct {
		header unix.Cmsghdr
		fd     int32
		_      int32
	}
	control.header.Level = unix.SOL_SOCKET
	control.header.Type = unix.SCM_RIGHTS
	control.header.SetLen(unix.SizeofCmsghdr + 4)
	control.fd = int32(fd)
	var nul byte
	iov := unix.Iovec{Base: &nul, Len: 1}
	header := unix.Msghdr{Iov: &iov, Control: (*byte)(unsafe.Pointer(&control))}
	header.SetIovlen(1)
	header.SetControllen(int(unsafe.Sizeof(control)))
	for {
		_, _, errno := unix.RawSyscall(unix.SYS_SENDMSG, uintptr(sock),
			uintptr(unsafe.Pointer(&header)), unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
		switch errno {
		case 0:
			return nil
		case unix.EINTR:
			continue
		}
		return errno
	}
}
