package server

import (
	"cmp"
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// How a waiter tells a busy time from a quiet one.
const (
	// shortGap is the longest time between two events that speaks for a busy
	// time: for anything longer the poller's price is not worth mentioning.
	shortGap = 250 * time.Microsecond
	// busyGaps is how many short gaps make a busy time, and mostGaps is how many
	// are counted. A long one halves the number, so that a busy second survives
	// the few that every machine has.
	busyGaps = 32
	mostGaps = 1024
	// busyTick is how often the loop looks if a busy time is over.
	busyTick = time.Millisecond
	// longTicks is how many ticks make a long busy time.
	longTicks = 16
)

// A waiter waits for the events of an epoll descriptor, in one of two ways.
//
// In a busy time the next event is some microseconds away. To give up the
// processor for that, and to get it back, would cost more than the rest of a
// turn, so the wait is a system call that Go's scheduler does not know of. But
// the scheduler takes the thread for one that computes, and its monitor stays
// awake to look after it. So at all other times the descriptor waits in Go's own
// poller, and while nothing happens nothing of the process runs.
//
// In a long busy time the monitor is welcome. It makes the loop change threads
// every ten milliseconds. Without that a loop and its only client can stay on two
// processors for good, each of which falls asleep while the other one works; to
// wake up a processor costs more than a request.
//
// What Go's poller knows of is not the descriptor itself but another one that
// watches it, so that the poller's thread can be kept out of a busy time.
type waiter struct {
	epoll int      // owned; -1 until open
	outer *os.File // an epoll descriptor that watches epoll, unless raw; nil until open
	conn  syscall.RawConn
	look  func(uintptr) bool
	raw   bool

	events [128]unix.EpollEvent
	n      int // of events
	errno  syscall.Errno

	last  time.Time // of the last turn with events
	gaps  int       // short ones, of late
	ticks int       // of this busy time
	seen  bool      // there were events since the timer rang last
	quiet bool      // there were none for a tick
}

func (w *waiter) open() (err error) {
	if w.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("epoll_create: %w", err)
	}
	outer, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return fmt.Errorf("epoll_create: %w", err)
	}
	if err := unix.SetNonblock(outer, true); err != nil { // or else the poller would not take it
		unix.Close(outer)
		return fmt.Errorf("fcntl: %w", err)
	}
	w.outer = os.NewFile(uintptr(outer), "epoll")
	w.look = func(uintptr) bool { w.take(0); return w.n > 0 || w.errno != 0 }
	if w.conn, err = w.outer.SyscallConn(); err != nil {
		return fmt.Errorf("poller: %w", err)
	}
	return w.attach(unix.EPOLL_CTL_ADD, unix.EPOLLIN)
}

// attach makes the poller see the events, or not.
func (w *waiter) attach(operation int, events uint32) (err error) {
	controlErr := w.conn.Control(func(outer uintptr) {
		err = unix.EpollCtl(int(outer), operation, w.epoll, &unix.EpollEvent{Events: events, Fd: int32(w.epoll)})
	})
	if err = cmp.Or(controlErr, err); err != nil {
		return fmt.Errorf("epoll_ctl: %w", err)
	}
	return nil
}

func (w *waiter) close() {
	if w.outer != nil {
		w.outer.Close()
	}
	if w.epoll >= 0 {
		unix.Close(w.epoll)
	}
	w.outer, w.epoll = nil, -1
}

// watch tells the kernel what events of a descriptor are of interest.
func (w *waiter) watch(operation, fd int, events uint32, about int32) error {
	event := unix.EpollEvent{Events: events, Fd: int32(fd), Pad: about}
	if err := unix.EpollCtl(w.epoll, operation, fd, &event); err != nil {
		return fmt.Errorf("epoll_ctl %d: %w", fd, err)
	}
	return nil
}

// busy tells whether the next wait is one for a busy time, which has to end
// after a tick.
func (w *waiter) busy() bool { return w.gaps >= busyGaps && !w.quiet }

// wait waits for events.
func (w *waiter) wait() ([]unix.EpollEvent, error) {
	busy := w.busy()
	if busy != w.raw {
		events := uint32(unix.EPOLLIN)
		if busy {
			events = 0
		}
		if err := w.attach(unix.EPOLL_CTL_MOD, events); err != nil {
			return nil, err
		}
		w.raw = busy
	}
	if busy {
		if w.ticks == longTicks {
			wakeMonitor()
		}
		w.take(-1)
	} else if err := w.conn.Read(w.look); err != nil {
		return nil, fmt.Errorf("poller: %w", err)
	}
	return w.taken()
}

// wakeMonitor wakes up the monitor of Go's scheduler, as every system call does
// that the scheduler knows of.
func wakeMonitor() { unix.Syscall(unix.SYS_GETPID, 0, 0, 0) }

// poll returns the events that there are.
func (w *waiter) poll() ([]unix.EpollEvent, error) {
	w.take(0)
	return w.taken()
}

// take collects events, waiting for them for a number of milliseconds, or as
// long as it takes if that is negative.
func (w *waiter) take(timeout int) {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(w.epoll),
		uintptr(unsafe.Pointer(&w.events[0])), uintptr(len(w.events)), uintptr(timeout), 0, 0)
	if errno != 0 {
		n = 0
	}
	if errno == unix.EINTR { // a signal is not an event
		errno = 0
	}
	w.n, w.errno = int(n), errno
}

func (w *waiter) taken() ([]unix.EpollEvent, error) {
	if w.errno != 0 {
		return nil, fmt.Errorf("epoll_wait: %w", w.errno)
	}
	return w.events[:w.n], nil
}

// note notes that there were events at this time, the timer's aside, and whether
// the timer rang.
func (w *waiter) note(now time.Time, events int, rang bool) {
	switch {
	case events > 0:
		if now.Sub(w.last) < shortGap {
			w.gaps = min(w.gaps+1, mostGaps)
		} else {
			w.gaps /= 2
		}
		w.last, w.seen, w.quiet = now, true, false
	case rang:
		w.quiet = !w.seen
		w.seen = false
		if w.ticks++; w.quiet {
			w.ticks = 0
		}
	}
}
