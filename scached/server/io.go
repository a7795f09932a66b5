package server

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// write writes to a client's socket what fits.
func write(fd int, p []byte) (int, unix.Errno) {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT, 0, 0)
		if errno != unix.EINTR {
			return int(n), errno
		}
	}
}

// waitForEvents waits for events, or only looks if there are any. Under load the
// next event is some microseconds away; to give up the processor for that, and
// to get it back, would cost more than the rest of a turn. So the first wait is
// one that the scheduler does not know of. When it gets impatient, after ten
// milliseconds, its signal ends that wait, and the second one is longer.
func (s *Server) waitForEvents(timeout int) (n int, err error) {
	got, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(s.epoll),
		uintptr(unsafe.Pointer(&s.events[0])), uintptr(len(s.events)), uintptr(timeout), 0, 0)
	if errno == unix.EINTR {
		n, err = unix.EpollWait(s.epoll, s.events[:], timeout)
		if err == unix.EINTR {
			return 0, nil
		}
		return max(n, 0), err
	}
	if errno != 0 {
		return 0, errno
	}
	return int(got), nil
}
