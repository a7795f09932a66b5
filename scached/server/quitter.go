package server

import (
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// quitters is how many threads can be saying QUIT, or looking for the answer. One
// does it; another joins in when that one hangs. When all hang nobody is sent QUIT
// any more.
const quitters = 3

// quitHangs is after how long a thread hangs: none of its system calls waits for
// the remote end.
const quitHangs = 100 * time.Millisecond

// A QuitStep is what is done to a session that ends with QUIT.
type QuitStep uint8

const (
	QuitSay    QuitStep = iota // send QUIT
	QuitFinish                 // send QUIT, and end this direction of the connection
	QuitListen                 // look whether there is an answer
)

// A quitTask is a step for a session, and then what came of it.
type quitTask struct {
	fd   int
	step QuitStep
	done bool
}

// A quitter takes the steps for which a socket has to be locked. Another process
// that has it open, too, can hold that lock as long as it likes: it needs only send
// from memory that nobody provides. So these system calls are not for the event
// loop, whether or not they wait for the remote end.
type quitter struct {
	wake func() // ends the loop's wait

	mu      sync.Mutex
	wanted  sync.Cond
	tasks   []quitTask // in their order, from first on
	first   int
	done    []quitTask
	started int
	working int
	hanging int
	pending int                    // not returned to the loop yet
	began   [quitters]atomic.Int64 // when each thread began a step, in nanoseconds; 0 for none
}

// begin lends a session for a step.
func (q *quitter) begin(fd int, step QuitStep) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pending++
	if q.hanging == quitters {
		q.finish(quitTask{fd: fd, step: step})
		return
	}
	q.tasks = append(q.tasks, quitTask{fd: fd, step: step})
	q.call()
}

// call makes a thread take up the tasks, if there is to be another one.
func (q *quitter) call() {
	if q.working > q.hanging || q.first == len(q.tasks) {
		return
	}
	if q.started == q.working && q.started < quitters {
		q.wanted.L = &q.mu
		go q.work(&q.began[q.started])
		q.started++
	}
	q.wanted.Signal()
}

func (q *quitter) work(began *atomic.Int64) {
	var answer [512]byte
	q.mu.Lock()
	for {
		for q.working > q.hanging || q.first == len(q.tasks) {
			q.wanted.Wait()
		}
		task := q.tasks[q.first]
		if q.first++; q.first == len(q.tasks) {
			q.tasks, q.first = q.tasks[:0], 0
		}
		q.working++
		began.Store(time.Now().UnixNano())
		q.mu.Unlock()
		task.done = task.take(answer[:])
		q.mu.Lock()
		began.Store(0)
		q.working--
		q.finish(task)
	}
}

// finish leaves a task for the loop.
func (q *quitter) finish(task quitTask) {
	q.done = append(q.done, task)
	if len(q.done) == 1 {
		q.wake()
	}
}

// next returns a task that was taken up, and whether it could be done. It reports
// false when there is none.
func (q *quitter) next() (task quitTask, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.done) == 0 {
		return quitTask{}, false
	}
	last := len(q.done) - 1
	task, q.done = q.done[last], q.done[:last]
	q.pending--
	return task, true
}

// progress counts the tasks that the loop waits for, and the threads that hang. It
// sees to it that others take their place.
func (q *quitter) progress(now time.Time) (pending, hanging int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.hanging = 0
	for i := range q.began {
		if began := q.began[i].Load(); began != 0 && now.UnixNano()-began > int64(quitHangs) {
			q.hanging++
		}
	}
	if q.hanging < quitters {
		q.call()
	} else {
		for ; q.first < len(q.tasks); q.first++ {
			q.finish(q.tasks[q.first])
		}
		q.tasks, q.first = q.tasks[:0], 0
	}
	return q.pending, q.hanging
}

var quitCommand = []byte("QUIT\r\n")

// take takes the step, and tells whether QUIT was sent, or anything has come.
// Nothing here waits for the remote end, nor changes how the socket blocks.
func (t *quitTask) take(answer []byte) bool {
	if t.step == QuitListen {
		n := transfer(unix.SYS_RECVFROM, t.fd, answer, unix.MSG_DONTWAIT)
		return n > 0
	}
	if transfer(unix.SYS_SENDTO, t.fd, quitCommand, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL) != len(quitCommand) {
		return false
	}
	if t.step == QuitFinish {
		unix.Shutdown(t.fd, unix.SHUT_WR)
	}
	return true
}

// transfer is send(2) or recv(2), as a system call that Go's scheduler knows of. It
// returns -1 for an error.
func transfer(call uintptr, fd int, p []byte, flags int) int {
	for {
		n, _, errno := unix.Syscall6(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), uintptr(flags), 0, 0)
		switch errno {
		case 0:
			return int(n)
		case unix.EINTR:
		default:
			return -1
		}
	}
}
