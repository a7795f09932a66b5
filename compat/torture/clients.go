package torture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"scache/compat/master"
	"scache/scached/protocol"
)

const allAtOnce = "all of these at once"

// hundred is how many bad clients of a kind there are.
const hundred = 100

// clientAttacks are clients that do not behave.
func clientAttacks() []Attack {
	return []Attack{
		{Name: "100 clients stuck in a request", Lasts: true, Hurts: true, Strike: stuckInRequest},
		{Name: "100 clients that send a byte a second", Lasts: true, Hurts: true, Strike: slow},
		{Name: "100 clients that shut down half of the connection", Lasts: true, Hurts: true, Strike: halfClosed},
		{Name: "100 clients that never read", Lasts: true, Hurts: true, Strike: neverReading},
		{Name: "100 clients that send garbage", Lasts: true, Hurts: true, Strike: garbage},
		{Name: "100 clients that send thousands of requests that are none", Lasts: true, Strike: nothings},
		{Name: "100 clients that owe a descriptor", Lasts: true, Hurts: true, Strike: owing},
		{Name: "100 clients stuck in a hand-over", Lasts: true, Hurts: true, Strike: stuckInHandOver},
		{Name: allAtOnce, Lasts: true, Hurts: true, Strike: everyKind},
		{Name: "clients over ipc_timeout are dropped", Options: master.Options{MainCF: "ipc_timeout = 1s"}, Strike: overtime},
	}
}

const halfRequest = "request\x00save_endp\x00ttl\x00"

func stuckInRequest(a *Arena) error {
	fds, err := a.crowd(hundred, a.connect)
	if err != nil {
		return err
	}
	for _, fd := range fds {
		trySend(fd, halfRequest)
	}
	return nil
}

// slow needs some seconds to show anything, so the pace of the short attack is
// ten bytes a second.
func slow(a *Arena) error {
	fds, err := a.crowd(hundred, a.connect)
	if err != nil {
		return err
	}
	request := saveEndpoint("slow", "2")
	pace := time.Second / time.Duration(a.size(10, 1))
	a.start(func(ctx context.Context) {
		for i := range len(request) {
			for _, fd := range fds {
				trySend(fd, request[i:i+1])
				pause(ctx, pace/hundred)
			}
			if ctx.Err() != nil {
				return
			}
		}
	})
	pause(a.ctx, 4*pace)
	return nil
}

func halfClosed(a *Arena) error {
	fds, err := a.crowd(hundred, a.connect)
	if err != nil {
		return err
	}
	for i, fd := range fds {
		trySend(fd, halfRequest[:i%len(halfRequest)])
		how := unix.SHUT_WR
		if i%2 == 0 {
			how = unix.SHUT_RD
		}
		if err := unix.Shutdown(fd, how); err != nil {
			return fmt.Errorf("shutdown: %w", err)
		}
	}
	return nil
}

// neverReading asks until the daemon takes no more.
func neverReading(a *Arena) error {
	fds, err := a.crowd(hundred, a.connect)
	if err != nil {
		return err
	}
	var asking sync.WaitGroup
	for _, fd := range fds {
		asking.Go(func() { fill(a.ctx, fd) })
	}
	asking.Wait()
	for i, fd := range fds {
		if queued(fd) == 0 {
			fill(a.ctx, fd) // the daemon was only slow
		}
		if queued(fd) == 0 {
			return fmt.Errorf("client %d still gets answers", i)
		}
	}
	return nil
}

// fill asks until the daemon no longer reads what a client says, since that does
// not read either. Some hundred answers fit into its socket.
func fill(ctx context.Context, fd int) {
	const stuck = patience / 10
	asked := time.Now()
	for ctx.Err() == nil {
		if queued(fd) > 0 {
			if time.Since(asked) >= stuck {
				return
			}
			pause(ctx, time.Millisecond)
			continue
		}
		if !trySend(fd, findEndpoint("nothing")) {
			return
		}
		asked = time.Now()
	}
}

// queued is how many bytes the daemon has not read yet.
func queued(fd int) int {
	n, err := unix.IoctlGetInt(fd, unix.SIOCOUTQ)
	if err != nil {
		return 0
	}
	return n
}

// garbagePace is how often each of the clients sends some, as a program would
// that is broken rather than one that wants to use up the processor.
const garbagePace = 20 * time.Millisecond

func garbage(a *Arena) error {
	fds, err := a.crowd(hundred, a.connect)
	if err != nil {
		return err
	}
	a.start(func(ctx context.Context) {
		random := rand.New(rand.NewPCG(1, 2))
		for ctx.Err() == nil {
			for _, fd := range fds {
				trySend(fd, randomBytes(random, random.IntN(200)))
				pause(ctx, garbagePace/hundred)
			}
		}
	})
	return nil
}

// nothingsPace is how often each of the clients sends a message of thousands of
// malformed requests: all of them together send millions a second.
const nothingsPace = 100 * time.Millisecond

// nothings are as many malformed requests in a message as there can be. A client
// that is disconnected comes again.
func nothings(a *Arena) error {
	message := strings.Repeat("\x00", protocol.BufferSize)
	for range hundred {
		a.start(func(ctx context.Context) {
			fd := -1
			for ctx.Err() == nil {
				if fd < 0 || ended(fd, 0) {
					unix.Close(fd)
					fd, _ = dial(a.Daemon.Socket())
				}
				trySend(fd, message)
				pause(ctx, nothingsPace)
			}
			unix.Close(fd)
		})
	}
	return nil
}

// randomBytes has enough delimiters to look like something.
func randomBytes(random *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(random.Uint32())
		if random.IntN(8) == 0 {
			b[i] = 0
		}
	}
	return string(b)
}

func owing(a *Arena) error {
	fds, err := a.crowd(hundred, a.connect)
	if err != nil {
		return err
	}
	for _, fd := range fds {
		trySend(fd, saveEndpoint("owed", "2"))
	}
	return nil
}

func stuckInHandOver(a *Arena) error {
	for i := range hundred {
		fd, err := a.promised(fmt.Sprint("stuck ", i))
		if err != nil {
			return err
		}
		if i%2 == 0 { // half of them are ready, but do not tell that they have it
			trySend(fd, dummy)
		}
	}
	return nil
}

// promised makes a client that was told of a session, and has not got it.
func (a *Arena) promised(label string) (fd int, err error) {
	fd, _, err = a.promisedFrom(label)
	return fd, err
}

// promisedFrom is promised with the remote end of the SMTP session.
func (a *Arena) promisedFrom(label string) (fd, remote int, err error) {
	if fd, err = a.greeted(); err != nil {
		return -1, -1, err
	}
	session, remote, err := pair()
	if err != nil {
		return -1, -1, err
	}
	a.keep(remote)
	defer unix.Close(session)
	if err := save(fd, label, "2", session); err != nil {
		return -1, -1, fmt.Errorf("save_endp: %w", err)
	}
	if err := ask(fd, findEndpoint(label), found); err != nil {
		return -1, -1, fmt.Errorf("find_endp: %w", err)
	}
	return fd, remote, nil
}

// everyKind is one attack after the other. That one of them had no success, as
// when nobody gets an answer any more, does not keep it from the next.
func everyKind(a *Arena) error {
	var errs []error
	for _, attack := range []func(*Arena) error{garbage, nothings, halfClosed, neverReading, stuckInHandOver, slow, owing, stuckInRequest} {
		errs = append(errs, attack(a))
	}
	return errors.Join(errs...)
}

// overtime looks when clients that stop in the middle of something are dropped.
func overtime(a *Arena) error {
	stuck, err := a.greeted()
	if err != nil {
		return err
	}
	trySend(stuck, halfRequest)
	owing, err := a.greeted()
	if err != nil {
		return err
	}
	trySend(owing, saveEndpoint("owed", "2"))
	handOver, err := a.promised("never taken")
	if err != nil {
		return err
	}
	deaf, err := a.greeted()
	if err != nil {
		return err
	}
	fill(a.ctx, deaf)
	for what, fd := range map[string]int{"in a request": stuck, "that owes a descriptor": owing, "in a hand-over": handOver, "that never reads": deaf} {
		if !ended(fd, patience) {
			return fmt.Errorf("a client %s was not dropped", what)
		}
	}
	return nil
}
