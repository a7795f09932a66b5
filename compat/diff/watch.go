package diff

import (
	"errors"
	"fmt"
	"os"
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
	tasks []task
	ids   string // of the threads
	buf   [512]byte
}

// A task is what the kernel tells about a thread.
type task struct {
	syscall *os.File // "running", or the number of a system call and its arguments
	stat    *os.File
}

// newWatch finds the event loop of process pid: the epoll descriptor that has
// listen in it. Before Postfix 2.4 the reference had none and called select.
// Whether it waits for all of its clients or for one does not show then.
func newWatch(pid, listen int) (*watch, error) {
	w := &watch{pid: pid, epoll: -1}
	names, err := os.ReadDir(fmt.Sprintf("/proc/%d/fdinfo", pid))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		info, _ := os.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%s", pid, name.Name()))
		if holds(string(info), listen) {
			w.epoll, err = strconv.Atoi(name.Name())
			return w, err
		}
	}
	if w.lookAgain(); w.lookAtTasks() == waiting {
		return w, nil
	}
	w.close()
	return nil, errors.New("no event loop yet")
}

// holds tells whether the description of an epoll descriptor names another one.
func holds(info string, fd int) bool {
	for line := range strings.Lines(info) {
		words := strings.Fields(line)
		if len(words) > 1 && words[0] == "tfd:" && words[1] == strconv.Itoa(fd) {
			return true
		}
	}
	return false
}

func (w *watch) close() {
	for _, task := range w.tasks {
		task.syscall.Close()
		task.stat.Close()
	}
	w.tasks, w.ids = nil, ""
}

// look tells what the daemon does at the moment. A daemon that has ended is
// busy: that it does not come to rest makes the caller look closer.
func (w *watch) look() rest {
	if state := w.lookAtTasks(); state != busy {
		return state
	}
	w.lookAgain()
	return w.lookAtTasks()
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

// judge reads what the kernel says about a thread: "running", or the number of
// the system call that it waits in and the arguments in hexadecimal.
func (w *watch) judge(text string) rest {
	number, rest, _ := strings.Cut(text, " ")
	call, err := strconv.Atoi(number)
	if err != nil {
		return busy
	}
	switch {
	case isEpollWait(call):
		first, _, _ := strings.Cut(rest, " ")
		if fd, err := strconv.ParseInt(strings.TrimPrefix(first, "0x"), 16, 64); err == nil && int(fd) == w.epoll {
			return waiting
		}
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
		syscall, err := os.Open(dir + "syscall")
		if err != nil {
			continue
		}
		stat, err := os.Open(dir + "stat")
		if err != nil {
			syscall.Close()
			continue
		}
		w.tasks = append(w.tasks, task{syscall, stat})
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

// openDescriptors counts the descriptors of process pid.
func openDescriptors(pid int) (int, error) {
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
