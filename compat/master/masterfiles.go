package master

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Numbers of the descriptors that a master passes on (src/master/master_proto.h).
const (
	flowReadFD  = 3
	flowWriteFD = 4
	statusFD    = 5
	listenFD    = 6
)

// masterFiles are the two sides of a child's descriptors. All are owned.
type masterFiles struct {
	child  [listenFD + 1]*os.File
	status *os.File // the master's end of the status channel
	stderr *os.File // where the child's standard error can be read

	borrowed map[*os.File]bool // of child: not to be closed
}

func (f *masterFiles) closeChild() {
	for _, file := range f.child {
		if file != nil && !f.borrowed[file] {
			file.Close()
		}
	}
}

func (f *masterFiles) closeParent() {
	for _, file := range []*os.File{f.status, f.stderr} {
		if file != nil {
			file.Close()
		}
	}
}

// openFiles makes what a child of a master inherits. On an error the caller
// still closes the child's side.
func (d *Daemon) openFiles(o Options) (*masterFiles, error) {
	f := &masterFiles{borrowed: make(map[*os.File]bool)}
	if err := f.fill(d, o); err != nil {
		f.closeParent()
		return f, err
	}
	return f, nil
}

func (f *masterFiles) fill(d *Daemon, o Options) error {
	if err := f.fillStandard(o); err != nil {
		return err
	}
	// The flow pipe: nobody reads it, but a write must not fail.
	if err := unix.Pipe2(d.flow[:], unix.O_CLOEXEC); err != nil {
		return fmt.Errorf("pipe: %w", err)
	}
	var err error
	if f.child[flowReadFD], err = dupFile(d.flow[0], "flow"); err != nil {
		return err
	}
	if f.child[flowWriteFD], err = dupFile(d.flow[1], "flow"); err != nil {
		return err
	}
	// A stream socket in both directions, blocking on the child's side: it
	// becomes readable when the master has gone (src/master/master_status.c).
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socketpair: %w", err)
	}
	if !o.Collect {
		unix.SetNonblock(pair[0], true) // so that closing it ends a read
	}
	f.status = os.NewFile(uintptr(pair[0]), "status")
	f.child[statusFD] = os.NewFile(uintptr(pair[1]), "status")
	f.child[listenFD], err = listenStream(d.dirs.socket())
	return err
}

func (f *masterFiles) fillStandard(o Options) error {
	for i, given := range []*os.File{o.Stdin, o.Stdout} {
		if given != nil {
			f.child[i] = given
			f.borrowed[given] = true
			continue
		}
		null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		f.child[i] = null
	}
	var err error
	if f.stderr, f.child[2], err = os.Pipe(); err == nil && o.Collect {
		f.stderr, err = outOfPoller(f.stderr)
	}
	return err
}

// outOfPoller returns another file for a pipe, which Go's poller does not wait for.
// It takes ownership of the first one.
func outOfPoller(file *os.File) (*os.File, error) {
	defer file.Close()
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 0) // makes it block
	if err != nil {
		return nil, fmt.Errorf("dup: %w", err)
	}
	other := os.NewFile(uintptr(fd), file.Name())
	return other, unix.SetNonblock(fd, true)
}

func dupFile(fd int, name string) (*os.File, error) {
	dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("dup: %w", err)
	}
	return os.NewFile(uintptr(dup), name), nil
}

// listenBacklog is main.cf's inet_listen_backlog (qmgr's and smtp's processes
// may come all at once).
const listenBacklog = 100

// listenStream makes the listening socket, non-blocking and open to everybody
// as a master's are (src/util/unix_listen.c).
func listenStream(path string) (*os.File, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	if err := bindListen(fd, path); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), path), nil
}

func bindListen(fd int, path string) error {
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		return fmt.Errorf("bind %s: %w", path, err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		return err
	}
	if err := unix.Listen(fd, listenBacklog); err != nil {
		return fmt.Errorf("listen on %s: %w", path, err)
	}
	return nil
}

// dialUnix connects to a stream socket. The caller owns the descriptor.
func dialUnix(path string) (fd int, err error) {
	fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("socket: %w", err)
	}
	for {
		if err = unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != unix.EINTR {
			break
		}
	}
	if err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("connect to %s: %w", path, err)
	}
	return fd, nil
}
