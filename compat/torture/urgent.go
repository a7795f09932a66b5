package torture

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"scache/compat/master"
	"scache/compat/wire"
)

// urgentAttacks send descriptors with an urgent byte (MSG_OOB), which a socket does
// not deliver unless it is asked to. The kernel closes them in the middle of the
// call that comes across the byte, whatever that takes.
func urgentAttacks() []Attack {
	return []Attack{
		{Name: "an urgent byte with sessions that linger", Strike: urgent(lingerers), Alone: true},
		{Name: "the same in band", Strike: inBand(lingerers)},
		{Name: "an urgent byte with a large file in memory", Strike: urgent(largeFile), Alone: true},
		{Name: "an urgent byte with the userfaultfd of a process that hangs", Strike: urgentHang},
		{Name: "a session with sessions that linger on an urgent byte that was read", Strike: urgentRead, Alone: true},
		{Name: "a table that is full, then a message with sessions that linger", Strike: truncated(fullTable), GivesUp: true, Alone: true,
			Options: master.Options{NoFile: fullTable, MainCF: "connection_cache_ttl_limit = 4s\n"}, Settle: 8 * time.Second},
		{Name: "the same with a table that has no room for a message", Strike: truncated(smallTable), GivesUp: true,
			Options: master.Options{NoFile: smallTable, MainCF: "connection_cache_ttl_limit = 4s\n"}, Settle: 8 * time.Second},
	}
}

// lingerers are a hundred lingering sockets, which the caller owns. The close of one
// is interrupted after some milliseconds, and those after it in the same call with
// it: only closes in calls of their own take as long together as shows on a busy
// machine.
func lingerers(a *Arena) ([]int, error) { return a.lingerers(hundred) }

// lingerers are n lingering sockets, which the caller owns.
func (a *Arena) lingerers(n int) (fds []int, err error) {
	for range n {
		fd, err := a.lingering()
		if err != nil {
			closeAll(fds)
			return nil, err
		}
		fds = append(fds, fd)
	}
	return fds, nil
}

// largeFile is one whose memory it takes long to free.
func largeFile(*Arena) ([]int, error) {
	const large = 1 << 30
	fd, err := unix.MemfdCreate("large", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("memfd: %w", err)
	}
	if err := unix.Fallocate(fd, 0, 0, large); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("fill a file in memory: %w", err)
	}
	return []int{fd}, nil
}

// aftermath is how long good clients go on when all that the daemon has to do is
// to close something.
const aftermath = 1500 * time.Millisecond

// urgent sends what open opens, each from a client of its own, and keeps none of it.
func urgent(open func(*Arena) ([]int, error)) func(*Arena) error {
	return handing(open, func(c *wire.Client, fd int) error { return c.SendUrgent(fd) })
}

// inBand is urgent with a byte that the daemon gets.
func inBand(open func(*Arena) ([]int, error)) func(*Arena) error {
	return handing(open, func(c *wire.Client, fd int) error { return c.Send("!", fd) })
}

func handing(open func(*Arena) ([]int, error), send func(c *wire.Client, fd int) error) func(*Arena) error {
	return func(a *Arena) error {
		fds, err := open(a)
		if err != nil {
			return err
		}
		err = a.handOver(fds, send)
		pause(a.ctx, aftermath)
		return err
	}
}

// handOver sends descriptors, each from a client of its own, and closes them, in one
// moment for the daemon: so it is the daemon, and not this process, that closes the
// last of each.
func (a *Arena) handOver(fds []int, send func(c *wire.Client, fd int) error) error {
	pid := a.Daemon.PID()
	clients, err := a.crowd(len(fds), a.greeted)
	start := time.Now()
	if err == nil {
		err = unix.Kill(pid, unix.SIGSTOP)
	}
	if err == nil && !eventually(patience, func() bool { return stopped(pid) }) {
		err = errors.New("the daemon does not stop")
	}
	defer func() {
		unix.Kill(pid, unix.SIGCONT)
		a.stopped = time.Since(start)
	}()
	for i, fd := range fds {
		if err == nil {
			err = send(clients[i], fd)
		}
		if err != nil { // this is the last one, and nobody is to wait for it
			unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{})
		}
		unix.Close(fd)
	}
	return err
}

// urgentRead saves sessions of whose queue the urgent byte was read, and not what
// came with it: the queue looks empty (SIOCINQ).
func urgentRead(a *Arena) error {
	c, err := a.greeted()
	if err != nil {
		return err
	}
	for range 3 * hundred {
		if err := a.saveUrgentRead(c); err != nil {
			return err
		}
	}
	pause(a.ctx, expiry+aftermath)
	return nil
}

func (a *Arena) saveUrgentRead(c *wire.Client) error {
	hidden, err := a.lingering()
	if err != nil {
		return err
	}
	s, err := wire.Pair()
	if err == nil {
		err = unix.Sendmsg(s.Remote, []byte("!"), wire.Rights(hidden), nil, unix.MSG_OOB)
		unix.Close(hidden)
	}
	if err != nil {
		return fmt.Errorf("send urgent byte: %w", err)
	}
	var urgent [1]byte
	if _, _, err := unix.Recvfrom(s.Local, urgent[:], unix.MSG_OOB); err != nil {
		return fmt.Errorf("read urgent byte: %w", err)
	}
	err = c.Save("urgent", "1", s.Local)
	s.Close()
	return err
}

// The limits on descriptors of daemons whose table is to be full. Below some 900 a
// daemon cannot keep room for a whole message.
const (
	fullTable  = 1200
	smallTable = 256
)

// truncated sends more descriptors than there is room for. The kernel closes the
// rest at once, unless the daemon has told it to take none.
func truncated(table int) func(*Arena) error {
	return func(a *Arena) error {
		saver, err := a.greeted()
		if err != nil {
			return err
		}
		for i := range table {
			if err := saveAndForget(saver, fmt.Sprint("fill ", i), "4"); err != nil {
				return fmt.Errorf("session %d: %w", i, err)
			}
		}
		fds, err := lingerers(a)
		if err != nil {
			return err
		}
		plain, err := wire.Pair()
		if err != nil {
			return err
		}
		defer plain.Close()
		err = a.handOver(fds, func(c *wire.Client, fd int) error {
			many := append(slices.Repeat([]int{plain.Local}, wire.MostInMessage-1), fd)
			err := c.Send("request\x00", many...)
			if turnedAway(err) {
				return unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{}) // nobody is to wait for it
			}
			return err
		})
		pause(a.ctx, aftermath)
		return err
	}
}
