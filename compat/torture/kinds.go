package torture

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"scache/compat/wire"
)

// kindAttacks cache what is no connection to a mail server.
func kindAttacks() []Attack {
	return []Attack{
		{Name: "descriptors of every kind", Strike: everyDescriptor},
		{Name: "reference cycles of descriptors", Strike: cycles},
	}
}

// A kind is a sort of descriptor. What open returns is owned by the caller.
type kind struct {
	name string
	open func() (int, error)
}

func socket(domain, typ int) func() (int, error) {
	return func() (int, error) { return unix.Socket(domain, typ|unix.SOCK_CLOEXEC, 0) }
}

// first keeps one of two descriptors, and passes the other one to the arena.
func (a *Arena) first(i int, two [2]int, err error) (int, error) {
	if err != nil {
		return -1, err
	}
	a.keep(two[1-i])
	return two[i], nil
}

func (a *Arena) pair(typ int) func() (int, error) {
	return func() (int, error) {
		two, err := unix.Socketpair(unix.AF_UNIX, typ|unix.SOCK_CLOEXEC, 0)
		return a.first(0, two, err)
	}
}

func (a *Arena) pipe(end int) func() (int, error) {
	return func() (int, error) {
		var two [2]int
		err := unix.Pipe2(two[:], unix.O_CLOEXEC)
		return a.first(end, two, err)
	}
}

func (a *Arena) kinds() []kind {
	file := func(path string, flags int) func() (int, error) {
		return func() (int, error) { return unix.Open(path, flags|unix.O_CLOEXEC, 0) }
	}
	return []kind{
		{"TCP connection", func() (int, error) { return a.tcp() }},
		{"TCP listener", listener},
		{"TCP socket that is not connected", socket(unix.AF_INET, unix.SOCK_STREAM)},
		{"UDP socket", socket(unix.AF_INET, unix.SOCK_DGRAM)},
		{"UNIX stream", a.pair(unix.SOCK_STREAM)},
		{"UNIX datagram socket", a.pair(unix.SOCK_DGRAM)},
		{"UNIX sequential packet socket", a.pair(unix.SOCK_SEQPACKET)},
		{"UNIX socket that is not connected", socket(unix.AF_UNIX, unix.SOCK_STREAM)},
		{"netlink socket", socket(unix.AF_NETLINK, unix.SOCK_RAW)},
		{"end of a pipe to read", a.pipe(0)},
		{"end of a pipe to write", a.pipe(1)},
		{"file", file(os.Args[0], unix.O_RDONLY)},
		{"directory", file("/", unix.O_RDONLY|unix.O_DIRECTORY)},
		{"path", file("/", unix.O_PATH)},
		{"device", file(os.DevNull, unix.O_RDWR)},
		{"terminal", file("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY)},
		{"file of /proc", file("/proc/self/maps", unix.O_RDONLY)},
		{"epoll", func() (int, error) { return unix.EpollCreate1(unix.EPOLL_CLOEXEC) }},
		{"eventfd", func() (int, error) { return unix.Eventfd(1, unix.EFD_CLOEXEC) }},
		{"timerfd", func() (int, error) { return unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC) }},
		{"inotify", func() (int, error) { return unix.InotifyInit1(unix.IN_CLOEXEC) }},
		{"memfd", func() (int, error) { return unix.MemfdCreate("session", unix.MFD_CLOEXEC) }},
		{"pidfd", func() (int, error) { return unix.PidfdOpen(unix.Getpid(), 0) }},
		{"connection to the daemon itself", func() (int, error) { return a.ownConnection(true) }},
		{"connection to the daemon that it has not been greeted on", func() (int, error) { return a.ownConnection(false) }},
	}
}

func (a *Arena) ownConnection(greeted bool) (int, error) {
	c, err := a.dial()
	if err != nil {
		return -1, err
	}
	if greeted {
		err = c.Expect(wire.Greeting)
	}
	return c.FD(), err
}

func listener() (int, error) { return wire.ListenTCP(1) }

// everyDescriptor saves and finds one of each kind.
func everyDescriptor(a *Arena) error {
	c, err := a.greeted()
	if err != nil {
		return err
	}
	var errs []error
	for _, k := range a.kinds() {
		descriptor, err := k.open()
		if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
			a.remark("no %s here", k.name)
			continue
		}
		if err != nil {
			return fmt.Errorf("open %s: %w", k.name, err)
		}
		a.keep(descriptor)
		if err := thereAndBack(c, descriptor); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", k.name, err))
			if c, err = a.greeted(); err != nil {
				return errors.Join(append(errs, err)...)
			}
		}
		// And one that nobody asks for, which the daemon has to close.
		if err := c.Save("forgotten", "1", descriptor); err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
	}
	return errors.Join(errs...)
}

// thereAndBack makes sure that what comes out of the cache is what went in, and
// that nobody has changed it. A socket on which something has arrived is not
// given back by a daemon that looks at sessions first.
func thereAndBack(c *wire.Client, descriptor int) error {
	flags, err := unix.FcntlInt(uintptr(descriptor), unix.F_GETFL, 0)
	if err != nil {
		return fmt.Errorf("flags: %w", err)
	}
	if err := c.Save("kind", "2", descriptor); err != nil {
		return fmt.Errorf("save_endp: %w", err)
	}
	back, err := c.Find("kind")
	if err == wire.ErrMissed && wire.Readable(descriptor) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find_endp: %w", err)
	}
	defer unix.Close(back)
	if !sameDescription(descriptor, back) {
		return errors.New("what was found is not what was saved")
	}
	now, err := unix.FcntlInt(uintptr(back), unix.F_GETFL, 0)
	if err != nil || now != flags {
		return fmt.Errorf("flags are %#o instead of %#o, %v", now, flags, err)
	}
	return nil
}

// sameDescription tells whether two descriptors are of one open file; of the same
// file, where the system does not let us look closer.
func sameDescription(a, b int) bool {
	const kcmpFile = 0
	pid := uintptr(unix.Getpid())
	order, _, errno := unix.Syscall6(unix.SYS_KCMP, pid, pid, kcmpFile, uintptr(a), uintptr(b), 0)
	if errno == 0 {
		return order == 0
	}
	var one, other unix.Stat_t
	return unix.Fstat(a, &one) == nil && unix.Fstat(b, &other) == nil && one.Dev == other.Dev && one.Ino == other.Ino
}

// cycles makes clients hold themselves: a connection whose own end is cached, or
// on its way, through itself or through each other. Nobody sees such a
// connection end before the daemon gives the descriptor up.
func cycles(a *Arena) error {
	for i := range a.size(30, 300) {
		one, err := a.dial()
		if err != nil {
			return err
		}
		other, err := a.dial()
		if err == nil {
			err = cycle(one, other, i)
			other.Close()
		}
		one.Close()
		if err != nil {
			return fmt.Errorf("cycle %d: %w", i, err)
		}
	}
	return nil
}

func cycle(one, other *wire.Client, i int) error {
	if err := errors.Join(one.Expect(wire.Greeting), other.Expect(wire.Greeting)); err != nil {
		return err
	}
	switch i % 4 {
	case 0: // cached, through itself
		return one.Save("cycle", "1", one.FD())
	case 1: // cached, through each other
		return errors.Join(one.Save("cycle", "1", other.FD()), other.Save("cycle", "1", one.FD()))
	case 2: // not wanted
		err := one.SendControl(wire.FindEndpoint("nothing"), wire.Same(one.FD(), 3))
		if turnedAway(err) {
			return nil
		}
		return err
	}
	// A session in whose own queue it is.
	s, err := wire.Pair()
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Say("x", s.Local); err != nil {
		return err
	}
	if err := unix.Sendmsg(s.Local, []byte("x"), wire.Rights(s.Remote), nil, unix.MSG_NOSIGNAL); err != nil {
		return err
	}
	return one.Save("cycle", "1", s.Local)
}
