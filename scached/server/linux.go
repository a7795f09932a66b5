package server

import (
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"scache/attrproto"
)

// A linux is the [Kernel] that a server has if it is given no other one. Most of
// its system calls are raw: they do not wait, so Go's scheduler need not know of
// them.
type linux struct {
	waiter   waiter
	timer    timer
	wake     int // an eventfd; -1 until open
	receiver attrproto.Receiver
	header   unix.Msghdr
	iov      unix.Iovec
	closer   closer
	quitter  quitter
}

// openLinux opens what the event loop waits with.
func openLinux() (*linux, error) {
	l := &linux{waiter: waiter{epoll: -1}, wake: -1, timer: timer{fd: -1}}
	l.quitter.wake = l.Wake
	if err := l.open(); err != nil {
		l.Release()
		return nil, err
	}
	return l, nil
}

func (l *linux) open() (err error) {
	if err = l.waiter.open(); err != nil {
		return err
	}
	if l.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return fmt.Errorf("eventfd: %w", err)
	}
	if err = l.waiter.watch(unix.EPOLL_CTL_ADD, l.wake, unix.EPOLLIN, aboutWake); err != nil {
		return err
	}
	l.closer.closed = l.Wake
	if err = l.timer.open(); err != nil {
		return err
	}
	return l.waiter.watch(unix.EPOLL_CTL_ADD, l.timer.fd, unix.EPOLLIN, aboutTimer)
}

func (l *linux) Release() {
	l.closer.release()
	l.waiter.close()
	for _, fd := range []*int{&l.wake, &l.timer.fd} {
		if *fd >= 0 {
			unix.Close(*fd)
		}
		*fd = -1
	}
}

func (l *linux) Now() time.Time { return time.Now() }

func (l *linux) Wall(at time.Time) int64 { return at.UnixNano() }

func (l *linux) Watch(operation, fd int, events uint32, about int32) error {
	return l.waiter.watch(operation, fd, events, about)
}

func (l *linux) Wait(now time.Time, sleep time.Duration) ([]unix.EpollEvent, time.Time, error) {
	events, err := l.await(now, sleep)
	if err != nil {
		return nil, now, err
	}
	events, rang := l.own(events)
	now = time.Now()
	l.waiter.note(now, len(events), rang)
	return events, now, nil
}

func (l *linux) await(now time.Time, sleep time.Duration) ([]unix.EpollEvent, error) {
	if sleep <= 0 {
		return l.waiter.poll()
	}
	if l.waiter.busy() {
		sleep = min(sleep, busyTick)
	}
	if err := l.timer.set(now, sleep); err != nil {
		return nil, err
	}
	return l.waiter.wait()
}

// own takes the events out that are the kernel's own, and tells whether the timer
// rang.
func (l *linux) own(events []unix.EpollEvent) (others []unix.EpollEvent, rang bool) {
	others = events[:0]
	for i := range events {
		switch events[i].Pad {
		case aboutTimer:
			l.timer.rang()
			rang = true
		case aboutWake:
			var count [8]byte
			unix.Read(l.wake, count[:])
		default:
			others = append(others, events[i])
		}
	}
	return others, rang
}

func (l *linux) Wake() {
	one := [8]byte{1} // any number will do
	unix.Write(l.wake, one[:])
}

func (l *linux) Accept(listen int) (fd int, err unix.Errno) {
	got, _, errno := unix.RawSyscall6(unix.SYS_ACCEPT4, uintptr(listen), 0, 0, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
	return int(got), errno
}

func (l *linux) Receive(sock int, p []byte) (n int, fds []int, truncated bool, err error) {
	n, fds, err = l.receiver.Receive(sock, p)
	return n, fds, l.receiver.Truncated, err
}

func (l *linux) Front(sock int, p []byte) (int, bool, unix.Errno) {
	l.iov.Base = unsafe.SliceData(p)
	l.iov.SetLen(len(p))
	l.header = unix.Msghdr{Iov: &l.iov} // without room for descriptors, of which the kernel then tells
	l.header.SetIovlen(1)
	n, _, errno := unix.RawSyscall(unix.SYS_RECVMSG, uintptr(sock),
		uintptr(unsafe.Pointer(&l.header)), unix.MSG_PEEK|unix.MSG_DONTWAIT)
	if errno != 0 {
		n = 0
	}
	return int(n), l.header.Flags&unix.MSG_CTRUNC != 0, errno
}

func (l *linux) Write(sock int, p []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(sock),
		uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT, 0, 0)
	return int(n), errno
}

func (l *linux) SendDescriptor(sock, fd int) error { return attrproto.SendDescriptor(sock, fd) }

func (l *linux) Shutdown(sock, how int) {
	unix.RawSyscall(unix.SYS_SHUTDOWN, uintptr(sock), uintptr(how), 0)
}

func (l *linux) GetOption(fd, level, name int, value []byte) (int, unix.Errno) {
	size := uint32(len(value))
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), uintptr(level), uintptr(name),
		uintptr(unsafe.Pointer(unsafe.SliceData(value))), uintptr(unsafe.Pointer(&size)), 0)
	return int(size), errno
}

func (l *linux) SetOption(sock, name int, on bool) (ok bool) {
	var value int32
	if on {
		value = 1
	}
	_, _, errno := unix.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(sock), unix.SOL_SOCKET, uintptr(name),
		uintptr(unsafe.Pointer(&value)), unsafe.Sizeof(value), 0)
	return errno == 0
}

func (l *linux) Queued(sock, direction int) int32 {
	var n int32
	_, _, errno := unix.RawSyscall(unix.SYS_IOCTL, uintptr(sock), uintptr(direction), uintptr(unsafe.Pointer(&n)))
	if errno != 0 {
		return -1
	}
	return n
}

func (l *linux) Poll(fd int, events int16) int16 {
	poll := unix.PollFd{Fd: int32(fd), Events: events}
	var atOnce unix.Timespec
	_, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&poll)), 1,
		uintptr(unsafe.Pointer(&atOnce)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return poll.Revents
}

func (l *linux) Close(fd int) { unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0) }

func (l *linux) CloseInBackground(fd int, connection bool) { l.closer.close(fd, connection) }

func (l *linux) Closing() int { return int(l.closer.pending.Load()) }

func (l *linux) CloseProgress() (moving bool, hanging int) {
	if l.Closing() == 0 {
		return false, 0
	}
	l.closer.asked.Store(true)
	now := time.Now()
	return l.closer.moving(now), l.closer.hanging(now)
}

func (l *linux) Quit(fd int, step QuitStep) { l.quitter.begin(fd, step) }

func (l *linux) QuitDone() (fd int, step QuitStep, done bool) {
	task, ok := l.quitter.next()
	if !ok {
		return -1, 0, false
	}
	return task.fd, task.step, task.done
}

func (l *linux) QuitProgress() (lent, hanging int) { return l.quitter.progress(time.Now()) }

func (l *linux) Limit() (most, used int, err error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, 0, err
	}
	if limit.Cur < limit.Max {
		raised := unix.Rlimit{Cur: limit.Max, Max: limit.Max}
		if unix.Setrlimit(unix.RLIMIT_NOFILE, &raised) == nil {
			limit.Cur = limit.Max
		}
	}
	const highest = 1 << 20
	lowest, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 0) // the number of those in use, more or less
	if err != nil {
		return 0, 0, err
	}
	unix.Close(lowest)
	return int(min(limit.Cur, highest)), lowest, nil
}
