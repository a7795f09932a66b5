package torture

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"scache/compat/master"
	"scache/compat/wire"
)

// stuckAttacks take away what the daemon needs to close descriptors.
func stuckAttacks() []Attack {
	return []Attack{
		{Name: "8 sessions whose close is never answered", Strike: neverClosed(8), Settle: 8 * time.Second},
		{Name: "20 sessions whose close is never answered", Strike: neverClosed(20), Settle: 8 * time.Second},
		{Name: "listening sockets with thousands of connections that nobody accepted", Alone: true, Strike: unaccepted},
		{Name: "a listening socket that is shut down", Ends: true, Strike: shutDown},
		{Name: "SIGTERM while 2,000 clients have queued what they could", Ends: true, Alone: true, Strike: endQueues(1000, 2000),
			Options: master.Options{MainCF: "scached_client_limit = 10000\n"}},
		{Name: "SIGTERM while 8,000 clients have queued what they could", Ends: true, Alone: true, Strike: endQueues(3000, 8000),
			Options: master.Options{MainCF: "scached_client_limit = 10000\n"}},
	}
}

// neverClosed has files expire whose close is never answered, and others after
// them, which are to be closed all the same.
func neverClosed(n int) func(*Arena) error {
	return func(a *Arena) error {
		c, err := a.greeted()
		if err != nil {
			return err
		}
		before, err := a.Daemon.Descriptors()
		if err != nil {
			return err
		}
		files, fds, err := a.openStuck(n)
		if err != nil {
			return err
		}
		for i, fd := range fds {
			err = errors.Join(err, c.Save(fmt.Sprint("stuck ", i), "1", fd))
		}
		closeAll(fds)
		if err != nil {
			return err
		}
		if !eventually(patience+expiry, func() bool { return files.waiting.Load() > 0 }) {
			return errors.New("nobody waits for a close")
		}
		for i := range 2 * hundred {
			if err := saveAndForget(c, fmt.Sprint("other ", i), "1"); err != nil {
				return fmt.Errorf("a session after those: %w", err)
			}
		}
		for range 10 {
			session, err := a.lingering()
			if err != nil {
				return err
			}
			err = c.Save("linger", "1", session)
			unix.Close(session)
			if err != nil {
				return fmt.Errorf("a session after those: %w", err)
			}
		}
		const good = 3 // come and go
		left := 0
		if !eventually(patience+expiry, func() bool {
			now, err := a.Daemon.Descriptors()
			left = len(now) - len(before) - (n - int(files.waiting.Load())) // one that is being closed has no number
			return err != nil || left <= good
		}) {
			return fmt.Errorf("%d other sessions are not closed", left)
		}
		a.remark("%d closes hang", files.waiting.Load())
		return nil
	}
}

// unaccepted has listening sockets expire whose connections nobody has accepted:
// they are all closed with it.
func unaccepted(a *Arena) error {
	c, err := a.greeted()
	if err != nil {
		return err
	}
	const listeners, connections = 8, 4000
	for i := range listeners {
		listener, err := fullListener(connections)
		if err == nil {
			err = c.Save(fmt.Sprint("listener ", i), "1", listener)
			unix.Close(listener)
		}
		if err != nil {
			return err
		}
	}
	pause(a.ctx, expiry+aftermath/2)
	return nil
}

// fullListener is a listening socket with n connections that nobody has accepted.
// The caller owns it.
func fullListener(n int) (fd int, err error) {
	if fd, err = wire.ListenTCP(n); err != nil {
		return -1, err
	}
	address, err := unix.Getsockname(fd)
	for i := 0; i < n && err == nil; i++ {
		var client int
		if client, err = wire.ConnectTCP(address); err == nil {
			unix.Close(client)
		}
	}
	if err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("connect to a socket that nobody accepts from: %w", err)
	}
	return fd, nil
}

// shutDown shuts the daemon's listening socket down, as whoever shares it can. No
// event of it is of any use from then on.
func shutDown(a *Arena) error {
	process, err := unix.PidfdOpen(a.Daemon.PID(), 0)
	if err != nil {
		return fmt.Errorf("pidfd: %w", err)
	}
	defer unix.Close(process)
	const listenFD = 6 // src/master/master_proto.h
	listener, err := unix.PidfdGetfd(process, listenFD, 0)
	if err != nil {
		return fmt.Errorf("get the listening socket: %w", err)
	}
	defer unix.Close(listener)
	if err := unix.Shutdown(listener, unix.SHUT_RDWR); err != nil {
		return fmt.Errorf("shut the listening socket down: %w", err)
	}
	state, err := a.Daemon.Wait(patience)
	if err != nil {
		return err
	}
	if !state.Success() {
		return fmt.Errorf("the daemon ended with %v", state)
	}
	return a.logs("listen")
}

// endQueues ends a daemon that has to read from clients all that fits into their
// sockets, if it wants to.
func endQueues(short, full int) func(*Arena) error {
	return func(a *Arena) error { return a.endQueues(a.size(short, full)) }
}

func (a *Arena) endQueues(n int) error {
	clients, err := a.crowd(n, a.greeted)
	if err != nil {
		return err
	}
	pid := a.Daemon.PID()
	if err := unix.Kill(pid, unix.SIGSTOP); err != nil {
		return fmt.Errorf("stop the daemon: %w", err)
	}
	defer unix.Kill(pid, unix.SIGCONT)
	requests := strings.Repeat(wire.FindEndpoint("nothing"), 500)
	for _, c := range clients {
		for n := len(requests); n == len(requests); {
			n, _ = c.TrySend(requests)
		}
	}
	start := time.Now()
	if err := errors.Join(unix.Kill(pid, unix.SIGTERM), unix.Kill(pid, unix.SIGCONT)); err != nil {
		return fmt.Errorf("end the daemon: %w", err)
	}
	state, err := a.Daemon.Wait(5 * patience)
	took := time.Since(start)
	if err != nil {
		return err
	}
	a.remark("ended after %v", took.Round(time.Millisecond))
	if limit := a.bound(2*time.Second, 1100*time.Millisecond); took > limit {
		return fmt.Errorf("the daemon took %v to end, more than %v", took, limit)
	}
	if !state.Success() {
		return fmt.Errorf("the daemon ended with %v", state)
	}
	return a.logs("statistics: start interval ")
}
