package torture

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"

	"scache/compat/wire"
)

// hangVariable is in the environment of a process that is to hang.
const hangVariable = "SCACHE_TORTURE_HANG"

// The descriptors of such a process.
const (
	hangFile   = 3 // of which it reads what never comes
	hangSocket = 4 // to which it sends its userfaultfd
)

// canHang is set by RunHanging: our own program knows what to do when it is started
// to hang.
var canHang bool

// RunHanging makes this process one that hangs, if it was started by an attack to do
// so, and does not return then. A program that calls [Run] or [Against] calls it
// first.
func RunHanging() {
	if os.Getenv(hangVariable) == "" {
		canHang = true
		return
	}
	if err := hang(); err != nil {
		fmt.Fprintln(os.Stderr, "hanging process:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// hang gives away a userfaultfd, and has the kernel touch memory that is a file on
// a file system that does not answer. The first answer is an error: the kernel tries
// again then, and waits with the lock of all memory of this process, for which the
// last close of the userfaultfd waits.
func hang() error {
	trap, err := wire.NewTrap()
	if err != nil {
		return err
	}
	page, err := unix.Mmap(hangFile, 0, os.Getpagesize(), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return fmt.Errorf("mmap: %w", err)
	}
	if err := unix.Sendmsg(hangSocket, []byte{0}, wire.Rights(trap.Control), nil, unix.MSG_NOSIGNAL); err != nil {
		return fmt.Errorf("send userfaultfd: %w", err)
	}
	if err := unix.Close(trap.Control); err != nil {
		return fmt.Errorf("close userfaultfd: %w", err)
	}
	unix.Write(hangSocket, page[:1]) // returns an error once the file system has gone
	return nil
}

// hanging starts a process that hangs, and returns its userfaultfd, which is owned
// by the caller, and of which the last close hangs, too. All that is over with the
// attack.
func (a *Arena) hanging() (fd int, err error) {
	if !canHang {
		return -1, errors.New("this program cannot start a process that hangs")
	}
	files, fds, err := a.openStuck(1)
	if err != nil {
		return -1, err
	}
	file := os.NewFile(uintptr(fds[0]), "stuck")
	defer file.Close()
	two, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("socketpair: %w", err)
	}
	ours, err := wire.New(two[0], patience)
	if err != nil {
		return -1, err
	}
	defer ours.Close()
	theirs := os.NewFile(uintptr(two[1]), "socket")
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), hangVariable+"=1")
	cmd.ExtraFiles = []*os.File{file, theirs}
	cmd.Stderr = os.Stderr
	err = cmd.Start()
	theirs.Close()
	if err != nil {
		return -1, fmt.Errorf("start a process that hangs: %w", err)
	}
	a.background.Go(func() { cmd.Wait() })
	if fd, err = ours.ReceiveSession(); err != nil {
		return -1, fmt.Errorf("userfaultfd of another process: %w", err)
	}
	if !eventually(patience, func() bool { return files.reads.Load() > 1 }) {
		unix.Close(fd)
		return -1, errors.New("no process hangs")
	}
	// As with the files of such a file system: who ends must not wait for itself.
	above, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, files.control+1)
	unix.Close(fd)
	return above, err
}

// urgentHang sends the userfaultfd of a process that hangs on an urgent byte.
func urgentHang(a *Arena) error {
	trap, err := wire.NewTrap()
	if err != nil {
		a.remark("not possible here: %v", err)
		return nil
	}
	trap.Release()
	fd, err := a.hanging()
	if err != nil {
		return err
	}
	err = a.handOver([]int{fd}, func(c *wire.Client, fd int) error { return c.SendUrgent(fd) })
	start := time.Now()
	_, greetErr := a.greeted()
	a.remark("greeted after %v", time.Since(start).Round(time.Millisecond/10))
	pause(a.ctx, aftermath)
	return errors.Join(err, greetErr)
}
