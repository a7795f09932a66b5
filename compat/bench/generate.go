package bench

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// fastest is more cycles a second than any daemon does: room for that many
// figures is set aside before the clock runs.
const fastest = 200_000

// A generator is the load: clients that go through their conversations again
// and again, all at the same time, until it is time to stop.
type generator struct {
	clients   []*client
	begun     []time.Time     // each client's conversation
	latencies []time.Duration // of those that are done
	end       time.Time
	epoll     int // owned
}

// An outcome is what a load came to.
type outcome struct {
	latencies []time.Duration // how long each conversation took
	took      time.Duration   // from the first request to the last answer
}

// generate makes the clients go through their conversations for that long. A
// conversation that has begun is finished.
//
// One thread serves them all, as cheaply as it can. Since it does not tell the
// scheduler when it waits, the rest of the program, which reads what the daemon
// tells its master, needs processors of its own; and the garbage collector,
// which would wait for it, is off.
func generate(clients []*client, length time.Duration) (o outcome, err error) {
	const own, others = 1, 3
	if runtime.GOMAXPROCS(0) < own+others {
		runtime.GOMAXPROCS(own + others)
	}
	g := &generator{
		clients:   clients,
		begun:     make([]time.Time, len(clients)),
		latencies: make([]time.Duration, 0, int(length.Seconds()*fastest)+len(clients)),
	}
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	begin := time.Now()
	g.end = begin.Add(length)
	if len(clients) == 1 {
		err = g.serveOne()
	} else {
		err = g.serveAll()
	}
	return outcome{latencies: g.latencies, took: time.Since(begin)}, err
}

// book notes that a client's conversation is done and the next one begins.
func (g *generator) book(i int) (now time.Time) {
	now = time.Now()
	g.latencies = append(g.latencies, now.Sub(g.begun[i]))
	g.begun[i] = now
	return now
}

func (g *generator) serveOne() error {
	c := g.clients[0]
	g.begun[0] = time.Now()
	for {
		if err := c.play(c.steps); err != nil {
			return err
		}
		if now := g.book(0); now.After(g.end) {
			return nil
		}
	}
}

// serveAll serves the clients in the order in which their answers come.
func (g *generator) serveAll() error {
	if err := g.watch(); err != nil {
		return err
	}
	defer unix.Close(g.epoll)
	for i, c := range g.clients {
		c.start()
		g.begun[i] = time.Now()
		if err := c.send(); err != nil {
			return fmt.Errorf("client %d: %w", i, err)
		}
	}
	events := make([]unix.EpollEvent, len(g.clients))
	for busy := len(g.clients); busy > 0; {
		n, err := g.wait(events)
		if err != nil {
			return err
		}
		for _, event := range events[:n] {
			stopped, err := g.serve(int(event.Fd))
			if err != nil {
				return fmt.Errorf("client %d: %w", event.Fd, err)
			}
			if stopped {
				busy--
			}
		}
	}
	return nil
}

// serve goes on with a client that was sent something. It reports true when
// the client is done and the time is up.
func (g *generator) serve(i int) (stopped bool, err error) {
	c := g.clients[i]
	complete, err := c.receive(unix.MSG_DONTWAIT)
	if err != nil || !complete {
		return false, err
	}
	if c.next() {
		if now := g.book(i); now.After(g.end) {
			return true, nil
		}
		c.start()
	}
	return false, c.send()
}

func (g *generator) watch() (err error) {
	if g.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("epoll_create: %w", err)
	}
	for i, c := range g.clients {
		event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i)}
		if err := unix.EpollCtl(g.epoll, unix.EPOLL_CTL_ADD, c.fd, &event); err != nil {
			unix.Close(g.epoll)
			return fmt.Errorf("epoll_ctl: %w", err)
		}
	}
	return nil
}

func (g *generator) wait(events []unix.EpollEvent) (int, error) {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(g.epoll),
			uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), patience*1000, 0, 0)
		switch {
		case errno == unix.EINTR:
		case errno != 0:
			return 0, fmt.Errorf("epoll_wait: %w", errno)
		case n == 0:
			return 0, fmt.Errorf("no answer within %d seconds", patience)
		default:
			return int(n), nil
		}
	}
}
