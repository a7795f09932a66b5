package server

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// closers is how many closes may be under way in the background, each in a thread
// of its own. A close that hangs, since whoever serves the file does not answer,
// keeps its thread for good.
const closers = 16

// foreignClosers is how many of them may close what is neither a TCP connection nor
// a local one. The close of a connection comes to an end, and does not wait for one
// that may never do so.
const foreignClosers = closers / 2

// Threads is how many threads a server can need at a time besides the one that
// Run is on.
const Threads = closers + quitters

// closePatience is how long a close may wait for the remote end, less when others
// have to wait for it.
const closePatience = 100 * time.Millisecond

// hangTime is after how long a close hangs.
const hangTime = 5 * time.Second

// A closer closes in the background what may take as long as its owner likes: a
// socket with SO_LINGER set, a file on a file system that somebody else serves.
type closer struct {
	mu      sync.Mutex
	wanted  sync.Cond
	waiting []int // connections
	foreign []int // all else
	closing int   // of the foreign ones
	started int
	idle    int
	closed  func()      // is called after a close, with the lock held; nil for nothing
	asked   atomic.Bool // somebody wants to know of the next one

	pending atomic.Int64          // not closed yet
	last    atomic.Int64          // when one was closed last, in nanoseconds
	began   [closers]atomic.Int64 // when each close that is under way began; 0 for none
}

// close takes ownership of a descriptor.
func (c *closer) close(fd int, connection bool) {
	if c.pending.Add(1) == 1 {
		c.last.Store(time.Now().UnixNano()) // nothing was late until now
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if connection {
		c.waiting = append(c.waiting, fd)
	} else {
		c.foreign = append(c.foreign, fd)
	}
	if len(c.waiting)+len(c.foreign) > c.idle && c.started < closers {
		c.wanted.L = &c.mu
		go c.work(&c.began[c.started])
		c.started++
		c.idle++
	}
	c.wanted.Signal()
}

// release makes nobody hear of a close any more.
func (c *closer) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = nil
}

func (c *closer) work(began *atomic.Int64) {
	runtime.LockOSThread() // the thread that closes is the one to be woken up
	c.mu.Lock()
	for {
		var from *[]int
		for from = c.next(); from == nil; from = c.next() {
			c.wanted.Wait()
		}
		last := len(*from) - 1
		fd := (*from)[last]
		*from = (*from)[:last]
		if from == &c.foreign {
			c.closing++
		}
		patience := closePatience / time.Duration(1+len(c.waiting))
		c.idle--
		c.mu.Unlock()
		began.Store(time.Now().UnixNano())
		closePatiently(fd, max(patience, time.Millisecond))
		c.pending.Add(-1)
		c.last.Store(time.Now().UnixNano())
		began.Store(0)
		c.mu.Lock()
		if c.closed != nil && c.asked.Swap(false) {
			c.closed()
		}
		if from == &c.foreign {
			c.closing--
		}
		c.idle++
	}
}

// next is where the descriptor is that may be closed next, nil if there is none.
func (c *closer) next() *[]int {
	switch {
	case len(c.waiting) > 0:
		return &c.waiting
	case len(c.foreign) > 0 && c.closing < foreignClosers:
		return &c.foreign
	}
	return nil
}

// hanging counts the closes that hang.
func (c *closer) hanging(now time.Time) (n int) {
	late := now.UnixNano() - int64(hangTime)
	for i := range c.began {
		if began := c.began[i].Load(); began != 0 && began <= late {
			n++
		}
	}
	return n
}

// moving tells whether one of those that are pending, if any, will be closed soon, as far
// as one can tell.
func (c *closer) moving(now time.Time) bool {
	return now.UnixNano()-c.last.Load() < int64(2*closePatience)
}

// closePatiently closes a descriptor. A signal ends the time for which a socket
// lingers; what the remote end has not got yet is then delivered without us, as
// if the socket did not linger. The signal is sent until that has worked, since
// the first one may come before the close has begun to wait. The Go runtime sends
// this signal to itself and ignores it when somebody else does.
func closePatiently(fd int, patience time.Duration) {
	pid, thread := unix.Getpid(), unix.Gettid()
	var closed atomic.Bool
	var alarm *time.Timer
	alarm = time.AfterFunc(1<<62, func() {
		if !closed.Load() {
			unix.Tgkill(pid, thread, unix.SIGURG)
			alarm.Reset(max(patience, 10*time.Millisecond))
		}
	})
	alarm.Reset(patience)
	unix.Close(fd)
	closed.Store(true)
	alarm.Stop()
}
