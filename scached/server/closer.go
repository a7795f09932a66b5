package server

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// closers is how many closes may be under way in the background.
const closers = 8

// Threads is how many threads a server can need at a time besides the one that
// Run is on.
const Threads = closers

// closePatience is how long a close may wait for the remote end, less when others
// have to wait for it.
const closePatience = 100 * time.Millisecond

// A closer closes in the background what may take as long as its owner likes: a
// socket with SO_LINGER set, a file on a file system that somebody else serves.
type closer struct {
	mu      sync.Mutex
	waiting []owned
	running int
}

// An owned descriptor is one that is counted.
type owned struct {
	fd    int
	count *atomic.Int64
}

// close takes ownership of a descriptor, and takes one off the count when it is
// closed.
func (c *closer) close(fd int, count *atomic.Int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting = append(c.waiting, owned{fd, count})
	if c.running < closers {
		c.running++
		go c.work()
	}
}

func (c *closer) work() {
	runtime.LockOSThread() // the thread that closes is the one to be woken up
	defer runtime.UnlockOSThread()
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.waiting) > 0 {
		last := len(c.waiting) - 1
		o := c.waiting[last]
		c.waiting = c.waiting[:last]
		patience := closePatience / time.Duration(1+len(c.waiting))
		c.mu.Unlock()
		closePatiently(o.fd, max(patience, time.Millisecond))
		o.count.Add(-1)
		c.mu.Lock()
	}
	c.running--
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
			alarm.Reset(patience)
		}
	})
	alarm.Reset(patience)
	unix.Close(fd)
	closed.Store(true)
	alarm.Stop()
}
