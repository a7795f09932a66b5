package simulate

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// A watch is what the server's epoll descriptor knows of a descriptor. As with
// the real one, it goes with the file and not with the descriptor.
type watch struct {
	fd     int
	file   *file
	events uint32
	about  int32
	edge   bool // something has happened since the last event, where that counts
}

// watching is the place of a descriptor's watch, -1 if there is none.
func (w *world) watching(fd int) int {
	for i := range w.watches {
		if w.watches[i].fd == fd && (w.table[fd] == nil || w.watches[i].file == w.table[fd].file) {
			return i
		}
	}
	return -1
}

func (w *world) forgetWatches(f *file) {
	for i := 0; i < len(w.watches); {
		if w.watches[i].file == f {
			w.watches = append(w.watches[:i], w.watches[i+1:]...)
		} else {
			i++
		}
	}
}

// wakeWriter notes that there is room again for who writes to a socket's peer.
func (w *world) wakeWriter(s *socket) {
	for i := range w.watches {
		if w.watches[i].file == s.file {
			w.watches[i].edge = true
		}
	}
}

// Watch is part of server.Kernel.
func (w *world) Watch(operation, fd int, events uint32, about int32) error {
	w.call("watch %d: %d, %#x", fd, operation, events)
	d := w.get(fd, "epoll_ctl")
	at := w.watching(fd)
	switch operation {
	case unix.EPOLL_CTL_ADD:
		if at >= 0 {
			w.fail("descriptor %d is watched already", fd)
		}
		if d.file.kind == connection && w.faulty(watchFaults) != 0 {
			w.conversation(fd).excuse()
			return fmt.Errorf("epoll_ctl %d: %w", fd, unix.ENOSPC)
		}
		w.watches = append(w.watches, watch{fd: fd, file: d.file, events: events, about: about, edge: true})
	case unix.EPOLL_CTL_MOD:
		if at < 0 {
			w.fail("descriptor %d is not watched", fd)
		}
		w.watches[at].events, w.watches[at].about, w.watches[at].edge = events, about, true
	case unix.EPOLL_CTL_DEL:
		if at < 0 {
			return errors.New("epoll_ctl: no such file or directory")
		}
		w.watches = append(w.watches[:at], w.watches[at+1:]...)
		if d.file.kind == listening {
			w.model.forget()
		}
	}
	return nil
}

// ready collects the events that there are, in any order.
func (w *world) ready() []unix.EpollEvent {
	w.events = w.events[:0]
	n := len(w.watches)
	if n == 0 {
		return nil
	}
	first := w.rand.IntN(n)
	for i := range n {
		h := &w.watches[(first+i)%n]
		got := w.happened(h.file) & (h.events | unix.EPOLLHUP | unix.EPOLLERR)
		if got == 0 || h.events&unix.EPOLLET != 0 && !h.edge {
			continue
		}
		h.edge = false
		w.events = append(w.events, unix.EpollEvent{Events: got, Fd: int32(h.fd), Pad: h.about})
	}
	return w.events
}

// happened is what epoll would say about a file.
func (w *world) happened(f *file) (events uint32) {
	switch f.kind {
	case connection:
		return f.sock.events()
	case listening:
		if len(w.backlog) > 0 {
			events |= unix.EPOLLIN
		}
		if w.listenShut {
			events |= unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLHUP
		}
	case tcp, local:
		if f.spoke {
			events |= unix.EPOLLIN
		}
		if f.ended {
			events |= unix.EPOLLIN | unix.EPOLLRDHUP
		}
	case own:
		if f == w.master && w.masterGone {
			return unix.EPOLLHUP
		}
	}
	return events
}

// Now is part of server.Kernel.
func (w *world) Now() time.Time {
	w.call("")
	return w.at(w.now)
}

// Wall is part of server.Kernel.
func (w *world) Wall(at time.Time) int64 { return at.UnixNano() + w.ahead }

func (w *world) at(now int64) time.Time { return epoch.Add(time.Duration(now)) }

// epoch is when each world begins. It has no monotonic reading, so differences
// are those of the times that are made from it.
var epoch = time.Date(2026, time.November, 28, 12, 0, 0, 0, time.UTC)

// Wait is part of server.Kernel. While the server waits, the others live.
func (w *world) Wait(now time.Time, sleep time.Duration) ([]unix.EpollEvent, time.Time, error) {
	w.call("wait for %v", sleep)
	w.endTurn()
	until := int64(now.Sub(epoch) + sleep)
	var events []unix.EpollEvent
	for {
		if events = w.ready(); len(events) > 0 || w.woken || w.now >= until {
			break
		}
		if w.faulty(waitFaults) != 0 {
			break // a signal
		}
		if !w.step(until) {
			w.now = until
		}
	}
	w.woken = false
	w.beginTurn(len(events))
	return events, w.at(w.now), nil
}

// Wake is part of server.Kernel.
func (w *world) Wake() { w.woken = true }

// GetOption is part of server.Kernel.
func (w *world) GetOption(fd, level, name int, value []byte) (n int, err unix.Errno) {
	w.call("option %d of %d", name, fd)
	f := w.get(fd, "getsockopt").file
	if f.kind == foreign {
		return 0, unix.ENOTSOCK
	}
	internet := f.kind == tcp
	numbers := []uint32{0}
	switch {
	case level == unix.SOL_TCP && name == unix.TCP_ULP:
		if !f.upper {
			return 0, 0
		}
		return copy(value, "tls\x00"), 0
	case level != unix.SOL_SOCKET:
		return 0, unix.ENOPROTOOPT
	case name == unix.SO_DOMAIN && internet:
		numbers[0] = unix.AF_INET
	case name == unix.SO_DOMAIN:
		numbers[0] = unix.AF_UNIX
	case name == unix.SO_TYPE:
		numbers[0] = unix.SOCK_STREAM
	case name == unix.SO_PROTOCOL && internet:
		numbers[0] = unix.IPPROTO_TCP
	case name == unix.SO_ACCEPTCONN && f.listener:
		numbers[0] = 1
	case name == unix.SO_LINGER && f.linger:
		numbers = []uint32{1, 60}
	case name == unix.SO_LINGER:
		numbers = []uint32{0, 0}
	case name == unix.SO_MEMINFO && f.spoke:
		numbers[0] = 768
	}
	for i, number := range numbers {
		nativePut(value[4*i:], number)
	}
	return 4 * len(numbers), 0
}

// SetOption is part of server.Kernel.
func (w *world) SetOption(fd, name int, on bool) (ok bool) {
	w.call("set option %d of %d: %v", name, fd, on)
	s := w.end(fd, "setsockopt")
	switch name {
	case unix.SO_OOBINLINE:
		s.outOfBand = !on
	case soPassRights:
		if !w.plan.passRights {
			return false
		}
		s.passRights = on
	}
	return true
}

// soPassRights is SO_PASSRIGHTS (Linux 6.16).
const soPassRights = 83

// Queued is part of server.Kernel.
func (w *world) Queued(fd, direction int) int32 {
	w.call("queued at %d", fd)
	s := w.end(fd, "ioctl")
	if direction == unix.SIOCOUTQ {
		if s.peer.used > 0 {
			return int32(s.peer.used)
		}
		return 0
	}
	return int32(s.queued())
}

// Poll is part of server.Kernel.
func (w *world) Poll(fd int, events int16) (got int16) {
	w.call("poll %d", fd)
	f := w.get(fd, "poll").file
	switch f.kind {
	case foreign:
		w.fail("descriptor %d is polled, which may ask a file system", fd)
	case connection:
		got = int16(f.sock.events())
	default:
		if f.spoke && !(f.lowWater && f.kind == tcp) || f.ended {
			got |= unix.POLLIN
		}
		if f.ended {
			got |= unix.POLLRDHUP
		}
		got |= unix.POLLOUT
	}
	return got & (events | unix.POLLHUP | unix.POLLERR)
}
