package torture

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"scache/compat/master"
	"scache/compat/wire"
)

// aroundAttacks are about what is around a daemon: signals that never end, a limit
// on memory that somebody else has set, sessions from other networks.
func aroundAttacks() []Attack {
	return []Attack{
		{Name: "thousands of signals a second", Greedy: true, Strike: signalStorm(100*time.Microsecond, harmless...)},
		{Name: "stopped and continued again and again", Greedy: true, Strike: signalStorm(2*time.Millisecond, unix.SIGSTOP, unix.SIGCONT)},
		{Name: "SIGTERM and SIGHUP thousands of times in the middle of hand-overs", Ends: true, Strike: endPromised(func(a *Arena) error {
			a.start(func(ctx context.Context) { a.storm(ctx, 100*time.Microsecond, unix.SIGTERM, unix.SIGHUP) })
			return nil
		})},
		{Name: "everything that is held, in a memory cgroup", Strike: heldInCgroup, Confined: true, Greedy: true, GivesUp: true, Growth: heldMost,
			Options: master.Options{MainCF: heldOptions}, Settle: 12 * time.Second},
		{Name: "sessions of other network name spaces", Strike: otherNetworks},
	}
}

// harmless are signals that end no daemon of Postfix, and of which the Go runtime
// handles some.
var harmless = []unix.Signal{unix.SIGURG, unix.SIGCHLD, unix.SIGWINCH, unix.SIGCONT, unix.SIGPIPE}

// storm sends signals in turn, with a pause after each, until ctx ends or there is
// nobody to send them to.
func (a *Arena) storm(ctx context.Context, every time.Duration, signals ...unix.Signal) (sent int) {
	pid := a.Daemon.PID()
	defer unix.Kill(pid, unix.SIGCONT)
	for ; ctx.Err() == nil; sent++ {
		if unix.Kill(pid, signals[sent%len(signals)]) != nil {
			break
		}
		time.Sleep(every)
	}
	return sent
}

// signalStorm is storm for some seconds.
func signalStorm(every time.Duration, signals ...unix.Signal) func(*Arena) error {
	return func(a *Arena) error {
		ctx, over := context.WithTimeout(a.ctx, a.bound(time.Second, 3*time.Second))
		defer over()
		a.remark("%d signals", a.storm(ctx, every, signals...))
		return nil
	}
}

// heldInCgroup is everythingHeld in a cgroup that has as much memory as the
// daemon may take. The kernel kills who takes more.
func heldInCgroup(a *Arena) error {
	leave, err := enterCgroup(a.Daemon.PID(), heldMost)
	if err != nil {
		a.remark("not possible here: %v", err)
		return nil
	}
	return errors.Join(everythingHeld(a), leave())
}

// enterCgroup puts a process into a memory cgroup of its own, from which leave takes
// it back to where it was.
func enterCgroup(pid int, limit int64) (leave func() error, err error) {
	from, file, err := memoryCgroup(pid)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(from, "sctorture")
	if err != nil {
		return nil, err
	}
	number := []byte(strconv.Itoa(pid))
	if err = os.WriteFile(filepath.Join(dir, file), []byte(strconv.FormatInt(limit, 10)), 0); err == nil {
		err = os.WriteFile(filepath.Join(dir, "cgroup.procs"), number, 0)
	}
	if err != nil {
		return nil, errors.Join(err, os.Remove(dir))
	}
	return func() error {
		err := os.WriteFile(filepath.Join(from, "cgroup.procs"), number, 0)
		if !eventually(patience, func() bool { return os.Remove(dir) == nil }) {
			err = errors.Join(err, fmt.Errorf("%s cannot be removed", dir))
		}
		return err
	}, nil
}

// memoryCgroup is where the memory of a process is counted, and the name of the
// limit there (cgroups(7), both versions).
func memoryCgroup(pid int) (dir, limit string, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return "", "", err
	}
	const root = "/sys/fs/cgroup"
	for line := range strings.Lines(string(data)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) == 3 && fields[1] == "memory" {
			return filepath.Join(root, "memory", fields[2]), "memory.limit_in_bytes", nil
		}
		if len(fields) == 3 && fields[1] == "" {
			dir, limit = filepath.Join(root, fields[2]), "memory.max"
		}
	}
	if dir == "" {
		return "", "", errors.New("no cgroup counts memory")
	}
	return dir, limit, nil
}

// otherNetworks saves sessions each of which is in a network name space that has
// nothing else: it goes with the last close. Some are taken, some expire.
func otherNetworks(a *Arena) error {
	c, err := a.greeted()
	if err != nil {
		return err
	}
	for i := range a.size(20, 200) {
		s, err := elsewhere()
		if err != nil {
			a.remark("not possible here: %v", err)
			return nil
		}
		label := fmt.Sprint("network ", i)
		err = c.Save(label, "1", s.Local)
		if err == nil && i%2 == 0 {
			var got int
			if got, err = c.Find(label); err == nil {
				err = s.Verify(got)
				unix.Close(got)
			}
		}
		s.Close()
		if err != nil {
			return fmt.Errorf("session %d: %w", i, err)
		}
	}
	pause(a.ctx, expiry)
	return nil
}

// elsewhere is a session in a network name space of its own.
func elsewhere() (*wire.Session, error) {
	type result struct {
		session *wire.Session
		err     error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			err = loopbackUp()
		}
		if err != nil {
			done <- result{err: err}
			return
		}
		s, err := wire.TCP()
		done <- result{s, err}
	}()
	r := <-done
	return r.session, r.err
}

// loopbackUp brings up the only interface of a new network name space
// (netdevice(7)).
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCSIFFLAGS, uintptr(unsafe.Pointer(request))); errno != 0 {
		return fmt.Errorf("bring up lo: %w", errno)
	}
	return nil
}
