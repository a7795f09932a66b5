package tap

import (
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Logger takes the lines that the tap logs.
type Logger interface {
	Info(text string)
	Warning(text string)
}

// Config is what a Relay is made of. Its descriptors are borrowed.
type Config struct {
	Server   string // path of the socket of the server behind
	Recorder *Recorder
	Log      Logger

	Listen []int // listening UNIX-domain stream sockets, non-blocking
	Master int   // becomes ready with an error when master(8) is gone; -1 for none
	// Notify is called when a burst of clients begins (false) and when it is over
	// (true).
	Notify  func(available bool)
	MaxIdle time.Duration // end when there was no client for so long

	// Turn is called in each turn of the loop, which sleeps for at most MaxSleep.
	Turn     func()
	MaxSleep time.Duration
}

const (
	// shortSleep is for what the kernel does not tell of: that a server accepts
	// connections again, that a message was read.
	shortSleep = 5 * time.Millisecond
	// pauseTime is how long no client is accepted when there are no descriptors.
	pauseTime = 100 * time.Millisecond
	// drainTime is how long a tap that has to end goes on with the clients that
	// there are. The server behind it, which has to end as well, needs less.
	drainTime = time.Second
	// acceptBatch is how many clients are accepted in one turn.
	acceptBatch = 16
)

// A Relay passes messages between clients and a server until it has to end.
type Relay struct {
	config   Config
	epoll    int // owned
	wake     int // owned
	messages messenger
	numbers  numbers
	tokens   []int
	events   [64]unix.EpollEvent

	ends       []*end // by descriptor
	count      int    // of links
	last       int    // number of the last one
	connecting []*link
	held       []*end
	now        time.Time
	quiet      bool // there was nothing to do for a tick
	idleSince  time.Time
	acceptAt   time.Time // when to accept clients again; zero while it does
	terminated atomic.Bool
	ending     time.Time // when to end, whatever there is
}

// New makes a relay. Close it to free what it holds.
func New(config Config) (*Relay, error) {
	r := &Relay{config: config, epoll: -1, wake: -1, now: time.Now()}
	r.idleSince = r.now
	if err := r.open(); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

func (r *Relay) open() (err error) {
	if r.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("epoll_create: %w", err)
	}
	if r.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return fmt.Errorf("eventfd: %w", err)
	}
	if err := r.add(r.wake, unix.EPOLLIN); err != nil {
		return err
	}
	if err := r.listen(true); err != nil || r.config.Master < 0 {
		return err
	}
	return r.add(r.config.Master, 0)
}

func (r *Relay) add(fd int, events uint32) error {
	if err := unix.EpollCtl(r.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)}); err != nil {
		return fmt.Errorf("epoll_ctl %d: %w", fd, err)
	}
	return nil
}

// listen begins to accept clients, or stops to.
func (r *Relay) listen(on bool) error {
	for _, fd := range r.config.Listen {
		if !on {
			unix.EpollCtl(r.epoll, unix.EPOLL_CTL_DEL, fd, nil)
		} else if err := r.add(fd, unix.EPOLLIN); err != nil {
			return err
		}
	}
	return nil
}

// Close ends all connections.
func (r *Relay) Close() {
	for _, e := range r.ends {
		if e != nil {
			r.close(e.link)
		}
	}
	for _, fd := range []*int{&r.epoll, &r.wake} {
		if *fd >= 0 {
			unix.Close(*fd)
		}
		*fd = -1
	}
}

// Terminate makes Run return soon, from any goroutine.
func (r *Relay) Terminate() {
	if r.terminated.CompareAndSwap(false, true) {
		one := [8]byte{1} // any number will do
		unix.Write(r.wake, one[:])
	}
}

// Run passes messages on until there was no client for too long, master(8) is gone
// or Terminate was called. Connections that the server ends meanwhile are passed on
// to their ends. An error is one of epoll itself.
func (r *Relay) Run() error {
	for r.ending.IsZero() || r.count > 0 && r.now.Before(r.ending) {
		if r.config.Turn != nil {
			r.config.Turn()
		}
		n, err := r.wait()
		if err != nil && err != unix.EINTR {
			return fmt.Errorf("epoll_wait: %w", err)
		}
		r.now = time.Now()
		for i := range max(n, 0) {
			r.dispatch(&r.events[i])
		}
		r.runTimers()
	}
	return nil
}

// busyTick is for how long the loop waits without telling the scheduler of Go. In a
// busy time the next message is some microseconds away; to give up the processor
// for that, and to get it back, would cost more than the message.
const busyTick = time.Millisecond

// wait waits for events.
func (r *Relay) wait() (n int, err error) {
	sleep := r.sleep()
	if r.quiet || sleep <= 0 {
		n, err = unix.EpollWait(r.epoll, r.events[:], int((sleep+time.Millisecond-1)/time.Millisecond))
	} else {
		got, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(r.epoll), uintptr(unsafe.Pointer(&r.events[0])),
			uintptr(len(r.events)), uintptr(busyTick/time.Millisecond), 0, 0)
		if n = int(got); errno != 0 {
			n, err = 0, errno
		}
	}
	r.quiet = n <= 0
	return n, err
}

func (r *Relay) dispatch(event *unix.EpollEvent) {
	fd := int(event.Fd)
	if fd == r.config.Master || fd == r.wake {
		r.end()
		return
	}
	if fd < len(r.ends) && r.ends[fd] != nil {
		// A descriptor that was closed in this turn may be another link's by now.
		if e := r.ends[fd]; int32(e.link.number) == event.Pad {
			r.serve(e, event.Events)
		}
		return
	}
	for _, listening := range r.config.Listen {
		if fd == listening && r.ending.IsZero() {
			r.accept(fd)
		}
	}
}

// serve does what the events of an end ask for.
func (r *Relay) serve(e *end, events uint32) {
	if events&(unix.EPOLLOUT|unix.EPOLLERR|unix.EPOLLHUP) != 0 && len(e.pending) > 0 {
		r.flush(e)
	}
	if e.link.closed || e.events&unix.EPOLLIN == 0 {
		return
	}
	r.pass(e, events&unix.EPOLLHUP != 0) // one message, so that each has its turn
}

// end makes Run end when no connection is left, or soon.
func (r *Relay) end() {
	if !r.ending.IsZero() {
		return
	}
	r.ending = r.now.Add(drainTime)
	r.listen(false)
	unix.EpollCtl(r.epoll, unix.EPOLL_CTL_DEL, r.wake, nil)
	if r.config.Master >= 0 {
		unix.EpollCtl(r.epoll, unix.EPOLL_CTL_DEL, r.config.Master, nil)
	}
}

func (r *Relay) runTimers() {
	if len(r.connecting) > 0 {
		r.connectAgain()
	}
	if len(r.held) > 0 {
		r.lookAtHeld()
	}
	if !r.acceptAt.IsZero() && !r.now.Before(r.acceptAt) && r.ending.IsZero() {
		r.acceptAt = time.Time{}
		if err := r.listen(true); err != nil {
			r.config.Log.Warning(err.Error())
		}
	}
	if r.count == 0 && r.now.Sub(r.idleSince) >= r.config.MaxIdle {
		r.end()
	}
}

// sleep is how long the loop may wait for events.
func (r *Relay) sleep() time.Duration {
	until := r.config.MaxSleep
	if until <= 0 {
		until = time.Hour
	}
	if r.count == 0 {
		until = min(until, r.idleSince.Add(r.config.MaxIdle).Sub(r.now))
	}
	if len(r.connecting)+len(r.held) > 0 {
		until = min(until, shortSleep)
	}
	if !r.acceptAt.IsZero() {
		until = min(until, r.acceptAt.Sub(r.now))
	}
	if !r.ending.IsZero() {
		until = min(until, r.ending.Sub(r.now))
	}
	return max(until, 0)
}
