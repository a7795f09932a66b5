package diff

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A rest is what a daemon waits for.
type rest int

const (
	busy    rest = iota // it does not wait
	waiting             // for any of its clients
	stuck               // for one of them: nobody else is served
)

// A watch tells whether a daemon is at work, by what the kernel says about its
// threads. A daemon that something was sent to is at work as soon as the call
// that sent it returns: that is what wakes it.
type watch struct {
	pid   int
	epoll int // descriptor of the daemon's event loop; -1 if that has none
	// outer are the epoll descriptors through which the loop can be waited for as
	// well: that of Go's poller, and those between.
	outer []int
	tasks []task
	ids   string // of the threads
	buf   [512]byte
}

// A task is what the kernel tells about a thread.
type task struct {
	syscall   *os.File // "running", or the number of a system call and its arguments
	stat      *os.File
	schedstat *os.File // how long it has run and waited to run, and how often
}

// newWatch finds the event loop of process pid: the epoll descriptor that has
// listen in it. Before Postfix 2.4 the reference had none and called select.
// Whether it waits for all of its clients or for one does not show then.
func newWatch(pid, listen int) (*watch, error) {
	w := &watch{pid: pid, epoll: -1}
	watches, err := epolls(pid)
	if err != nil {
		return nil, err
	}
	for fd, watched := range watches {
		if slices.Contains(watched, listen) {
			w.epoll = fd
			// The daemon is setting them up: what was read before this one may
			// have been too early. The listening socket comes last.
			if watches, err = epolls(pid); err != nil {
				return nil, err
			}
			w.outer = above(watches, fd)
			return w, nil
		}
	}
	if w.lookAgain(); w.lookAtTasks() == waiting {
		return w, nil
	}
	w.close()
	return nil, errors.New("no event loop yet")
}

// epolls returns the epoll descriptors of process pid, and what each watches.
func epolls(pid int) (map[int][]int, error) {
	names, err := os.ReadDir(fmt.Sprintf("/proc/%d/fdinfo", pid))
	if err != nil {
		return nil, err
	}
	watches := make(map[int][]int)
	for _, name := range names {
		info, _ := os.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%s", pid, name.Name()))
		fd, err := strconv.Atoi(name.Name())
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(info)) {
			words := strings.Fields(line)
			if len(words) > 1 && words[0] == "tfd:" {
				watched, err := strconv.Atoi(words[1])
				if err != nil {
					return nil, err
				}
				watches[fd] = append(watches[fd], watched)
			}
		}
	}
	return watches, nil
}

// above returns the descriptors that watch one, or that watch one of those.
func above(watches map[int][]int, fd int) (all []int) {
	for outer, watched := range watches {
		if slices.Contains(watched, fd) {
			all = append(append(all, outer), above(watches, outer)...)
		}
	}
	return all
}

func (w *watch) close() {
	for _, task := range w.tasks {
		task.close()
	}
	w.tasks, w.ids = nil, ""
}

func (t *task) close() {
	for _, file := range []*os.File{t.syscall, t.stat, t.schedstat} {
		if file != nil {
			file.Close()
		}
	}
}

// look tells what the daemon does at the moment. A daemon that has ended is
// busy: that it does not come to rest makes the caller look closer.
func (w *watch) look() rest {
	if state := w.lookAtTasks(); state != busy {
		return state
	}
	w.lookAgain()
	if state := w.lookAtTasks(); state != busy || len(w.outer) == 0 {
		return state
	}
	return w.lookAtAll()
}

// lookAtOne is look for a daemon that waits whenever this process runs. If it has a
// single thread, that may still wait for one of its clients.
func (w *watch) lookAtOne() rest {
	if len(w.tasks) == 0 {
		return busy
	}
	text := w.read(w.tasks[0].syscall)
	if call, _ := parseCall(text); call >= 0 && w.threaded() {
		return waiting
	}
	return w.judge(text)
}

// lookAtAll tells whether all threads sleep, one of them in an outer descriptor,
// as Go's poller does while there is nothing else to do. It may sleep there while
// another thread is at work. But if none of them has run from one look to the
// next, all have slept at the same time.
func (w *watch) lookAtAll() rest {
	ids := w.ids
	first, asleep := w.naps()
	if !asleep {
		return busy
	}
	second, asleep := w.naps()
	if w.lookAgain(); !asleep || first != second || ids != w.ids {
		return busy
	}
	return waiting
}

// naps tells how often each thread has run, and whether all of them sleep and the
// loop is waited for. That of the monitor of Go's scheduler, which sleeps for a
// time, does not count.
func (w *watch) naps() (counts string, asleep bool) {
	polled := false
	var b strings.Builder
	for _, t := range w.tasks {
		call, fd := parseCall(w.read(t.syscall))
		if call < 0 || !sleeps(w.read(t.stat)) {
			return "", false
		}
		polled = polled || isEpollWait(call) && slices.Contains(w.outer, fd)
		if call == unix.SYS_NANOSLEEP || call == unix.SYS_CLOCK_NANOSLEEP {
			continue
		}
		b.WriteString(w.read(t.schedstat))
	}
	return b.String(), polled
}

func (w *watch) lookAtTasks() rest {
	for _, task := range w.tasks {
		switch state := w.lookAt(task); {
		case state == waiting, state == stuck && len(w.tasks) == 1:
			return state
		}
	}
	return busy
}

// threaded tells whether the daemon can do anything while it waits.
func (w *watch) threaded() bool { return len(w.tasks) > 1 }

// lookAt tells what a thread does. The system call of a thread that has just
// been woken is still the one that it slept in; only its state tells. So that
// counts, and what the thread sleeps in after that.
func (w *watch) lookAt(t task) rest {
	if w.judge(w.read(t.syscall)) == busy || !sleeps(w.read(t.stat)) {
		return busy
	}
	return w.judge(w.read(t.syscall))
}

// read returns nothing when the thread has ended.
func (w *watch) read(file *os.File) string {
	n, _ := file.ReadAt(w.buf[:], 0)
	return string(w.buf[:n])
}

func sleeps(stat string) bool {
	end := strings.LastIndexByte(stat, ')') // of the name
	return end >= 0 && strings.HasPrefix(stat[end:], ") S ")
}

// parseCall reads what the kernel says about a thread: "running", or the number
// of the system call that it waits in and the arguments in hexadecimal. It returns
// the number and the first argument; -1 for a thread that runs.
func parseCall(text string) (call, first int) {
	number, rest, _ := strings.Cut(text, " ")
	call, err := strconv.Atoi(number)
	if err != nil {
		return -1, -1
	}
	argument, _, _ := strings.Cut(rest, " ")
	value, err := strconv.ParseUint(strings.TrimPrefix(argument, "0x"), 16, 64)
	if err != nil {
		return -1, -1
	}
	return call, int(value)
}

// judge tells what a thread does that is in such a state.
func (w *watch) judge(text string) rest {
	call, fd := parseCall(text)
	switch {
	case call < 0:
	case isEpollWait(call) && fd == w.epoll:
		return waiting
	case w.epoll < 0 && isSelect(call):
		return waiting
	case isWaitForOne(call):
		return stuck
	}
	return busy
}

// lookAgain looks for threads anew.
func (w *watch) lookAgain() {
	dir, err := os.Open(fmt.Sprintf("/proc/%d/task", w.pid))
	if err != nil {
		return
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if ids := strings.Join(names, " "); err != nil || ids == w.ids {
		return
	}
	w.close()
	w.ids = strings.Join(names, " ")
	for _, name := range names {
		dir := fmt.Sprintf("/proc/%d/task/%s/", w.pid, name)
		t := task{}
		for name, file := range map[string]**os.File{"syscall": &t.syscall, "stat": &t.stat, "schedstat": &t.schedstat} {
			*file, err = os.Open(dir + name)
			if err != nil {
				break
			}
		}
		if err != nil { // the thread has ended
			t.close()
			continue
		}
		w.tasks = append(w.tasks, t)
	}
}

// stopped tells whether all threads are stopped by a signal.
func (w *watch) stopped() bool {
	names, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", w.pid))
	if err != nil {
		return true // nothing to stop
	}
	for _, name := range names {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/stat", w.pid, name.Name()))
		if err != nil {
			continue
		}
		end := strings.LastIndexByte(string(stat), ')')
		if state := string(stat[end:]); !strings.HasPrefix(state, ") T") && !strings.HasPrefix(state, ") Z") {
			return false
		}
	}
	return true
}

// openDescriptors counts the descriptors of process pid. Since Linux 6.2 the size
// of the directory is their number.
func openDescriptors(pid int) (int, error) {
	var stat unix.Stat_t
	if err := unix.Stat(fmt.Sprintf("/proc/%d/fd", pid), &stat); err == nil && stat.Size > 0 {
		return int(stat.Size), nil
	}
	dir, err := os.Open(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return 0, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	return len(names), err
}

func isEpollWait(call int) bool {
	return call == unix.SYS_EPOLL_PWAIT || call == sysEpollWait || call == unix.SYS_EPOLL_PWAIT2
}

func isSelect(call int) bool { return call == unix.SYS_PSELECT6 || call == sysSelect }

// isWaitForOne knows the calls in which the reference waits for bytes from the
// client that it serves (src/util/timed_read.c, src/util/unix_recv_fd.c). One of
// them that was interrupted goes on as restart_syscall.
func isWaitForOne(call int) bool {
	switch call {
	case sysPoll, unix.SYS_PPOLL, unix.SYS_READ, unix.SYS_RECVMSG, unix.SYS_RECVFROM, unix.SYS_RESTART_SYSCALL:
		return true
	}
	return false
}
