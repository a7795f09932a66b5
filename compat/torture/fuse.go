package torture

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A stuckFiles is a file system in user space (linux/fuse.h) that never answers
// when the daemon closes one of its files, and answers but the first one who reads,
// with an error: close(2) and page faults wait for that, and do not let themselves
// be interrupted. Whoever waits is let go when the control descriptor is closed,
// with this process at the latest.
type stuckFiles struct {
	daemon  int          // its process number
	control int          // owned: what requests are read from
	waiting atomic.Int64 // closes that are not answered
	reads   atomic.Int64 // of which all but the first are not answered
}

// From linux/fuse.h, which x/sys leaves out.
const (
	fuseLookup    = 1
	fuseForget    = 2
	fuseGetattr   = 3
	fuseOpen      = 14
	fuseRead      = 15
	fuseRelease   = 18
	fuseFlush     = 25
	fuseInit      = 26
	fuseInterrupt = 36
	fuseForgets   = 42

	fuseRoot   = 1 // number of the root directory
	fuseFile   = 2 // and of the only file
	fuseHeader = 40
)

// openStuck opens n files of such a file system, which are owned by the caller. The
// file system is gone with the attack. It is mounted where nobody else sees it, and
// only until the files are open.
func (a *Arena) openStuck(n int) (f *stuckFiles, fds []int, err error) {
	control, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("open /dev/fuse: %w", err)
	}
	f = &stuckFiles{daemon: a.Daemon.PID(), control: control}
	a.start(f.serve)
	opened := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // for good: the thread ends, and its mounts with it
		fds, err = f.mountAndOpen(n)
		opened <- err
	}()
	select {
	case err := <-opened:
		return f, fds, err
	case <-time.After(patience):
		return nil, nil, errors.New("mount a file system: no answer")
	}
}

// mountAndOpen belongs on a thread of its own.
func (f *stuckFiles) mountAndOpen(n int) (fds []int, err error) {
	dir, err := os.MkdirTemp("", "scfuse")
	if err != nil {
		return nil, err
	}
	defer os.Remove(dir)
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return nil, fmt.Errorf("unshare: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return nil, fmt.Errorf("mount: %w", err)
	}
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0", f.control)
	if err := unix.Mount("stuck", dir, "fuse.stuck", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		return nil, fmt.Errorf("mount: %w", err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	for range n {
		fd, err := unix.Open(dir+"/file", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			closeAll(fds)
			return nil, fmt.Errorf("open: %w", err)
		}
		// The kernel closes what an exiting process has in the order of the numbers.
		// This process must never wait for itself, so the control descriptor, whose
		// end lets everybody go, has to have the lowest one.
		above, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, f.control+1)
		unix.Close(fd)
		if err != nil {
			closeAll(fds)
			return nil, fmt.Errorf("dup: %w", err)
		}
		fds = append(fds, above)
	}
	return fds, nil
}

func closeAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}

// serve answers until the attack is over, and then lets everybody go.
func (f *stuckFiles) serve(ctx context.Context) {
	defer unix.Close(f.control)
	const look = 20 // milliseconds
	for request := make([]byte, 1<<17); ctx.Err() == nil; {
		n, err := unix.Read(f.control, request)
		switch {
		case err == nil && n >= fuseHeader:
			f.answer(request[:n])
		case err == unix.EAGAIN:
			unix.Poll([]unix.PollFd{{Fd: int32(f.control), Events: unix.POLLIN}}, look)
		case err == unix.ENODEV:
			return // nobody has anything of it any more
		}
	}
}

func (f *stuckFiles) answer(request []byte) {
	opcode := binary.NativeEndian.Uint32(request[4:])
	node := binary.NativeEndian.Uint64(request[16:])
	process := binary.NativeEndian.Uint32(request[32:])
	var body []byte
	var errno unix.Errno
	switch opcode {
	case fuseForget, fuseForgets, fuseInterrupt:
		return // they want no answer
	case fuseInit:
		body = make([]byte, 64)
		binary.NativeEndian.PutUint32(body, 7)
		binary.NativeEndian.PutUint32(body[4:], 31)
		binary.NativeEndian.PutUint32(body[20:], 1<<16) // the longest write
	case fuseLookup:
		body = append(make([]byte, 40), attributes(fuseFile)...)
		binary.NativeEndian.PutUint64(body, fuseFile)
	case fuseGetattr:
		body = append(make([]byte, 16), attributes(node)...)
	case fuseOpen:
		body = make([]byte, 16)
	case fuseFlush:
		if _, err := os.Stat(fmt.Sprintf("/proc/%d/task/%d", f.daemon, process)); err == nil {
			f.waiting.Add(1)
			return
		}
	case fuseRead:
		if f.reads.Add(1) > 1 {
			return
		}
		errno = unix.EIO
	case fuseRelease:
	default:
		errno = unix.ENOSYS
	}
	answer := make([]byte, 16, 16+len(body))
	binary.NativeEndian.PutUint32(answer, uint32(16+len(body)))
	binary.NativeEndian.PutUint32(answer[4:], uint32(-int32(errno)))
	copy(answer[8:], request[8:16])
	unix.Write(f.control, append(answer, body...))
}

// attributes are those of the root directory or of the file.
func attributes(node uint64) []byte {
	b := make([]byte, 88)
	mode, links, size := uint32(unix.S_IFDIR|0o755), uint32(2), 0
	if node != fuseRoot {
		mode, links, size = unix.S_IFREG|0o644, 1, os.Getpagesize()
	}
	binary.NativeEndian.PutUint64(b, node)
	binary.NativeEndian.PutUint64(b[8:], uint64(size))
	binary.NativeEndian.PutUint32(b[60:], mode)
	binary.NativeEndian.PutUint32(b[64:], links)
	return b
}
