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
	"scache/compat/wire"
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
	clients, err := a.crowd(hundred, a.connect)
	if err != nil {
		return err
	}
	for _, c := range clients {
		c.TrySend(halfRequest)
	}
	return nil
}

// slow needs some seconds to show anything, so the pace of the short attack is
// ten bytes a second.
func slow(a *Arena) error {
	clients, err := a.crowd(hundred, a.connect)
	if err != nil {
		return err
	}
	request := wire.SaveEndpoint("slow", "2")
	pace := time.Second / time.Duration(a.size(10, 1))
	a.start(func(ctx context.Context) {
		for i := range len(request) {
			for _, c := range clients {
				c.TrySend(request[i : i+1])
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
	clients, err := a.crowd(hundred, a.connect)
	if err != nil {
		return err
	}
	for i, c := range clients {
		c.TrySend(halfRequest[:i%len(halfRequest)])
		how := unix.SHUT_WR
		if i%2 == 0 {
			how = unix.SHUT_RD
		}
		if err := unix.Shutdown(c.FD(), how); err != nil {
			return fmt.Errorf("shutdown: %w", err)
		}
	}
	return nil
}

// neverReading asks until the daemon takes no more.
func neverReading(a *Arena) error {
	clients, err := a.crowd(hundred, a.connect)
	if err != nil {
		return err
	}
	var asking sync.WaitGroup
	for _, c := range clients {
		asking.Go(func() { fill(a.ctx, c) })
	}
	asking.Wait()
	for i, c := range clients {
		if c.Unread() == 0 {
			fill(a.ctx, c) // the daemon was only slow
		}
		if c.Unread() == 0 {
			return fmt.Errorf("client %d still gets answers", i)
		}
	}
	return nil
}

// fill asks until the daemon no longer reads what a client says, since that does
// not read either. Some hundred answers fit into its socket.
func fill(ctx context.Context, c *wire.Client) {
	const stuck = patience / 10
	nothing := wire.FindEndpoint("nothing")
	asked := time.Now()
	for ctx.Err() == nil {
		if c.Unread() > 0 {
			if time.Since(asked) >= stuck {
				return
			}
			pause(ctx, time.Millisecond)
			continue
		}
		if n, _ := c.TrySend(nothing); n < len(nothing) {
			return
		}
		asked = time.Now()
	}
}

// garbagePace is how often each of the clients sends some, as a program would
// that is broken rather than one that wants to use up the processor.
const garbagePace = 20 * time.Millisecond

func garbage(a *Arena) error {
	clients, err := a.crowd(hundred, a.connect)
	if err != nil {
		return err
	}
	a.start(func(ctx context.Context) {
		random := rand.New(rand.NewPCG(1, 2))
		for ctx.Err() == nil {
			for _, c := range clients {
				c.TrySend(randomBytes(random, random.IntN(200)))
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
			var c *wire.Client
			for ctx.Err() == nil {
				if c != nil && c.Ended(0) {
					c.Close()
					c = nil
				}
				if c == nil {
					c, _ = a.dial()
				}
				if c != nil {
					c.TrySend(message)
				}
				pause(ctx, nothingsPace)
			}
			if c != nil {
				c.Close()
			}
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
	clients, err := a.crowd(hundred, a.connect)
	if err != nil {
		return err
	}
	for _, c := range clients {
		c.TrySend(wire.SaveEndpoint("owed", "2"))
	}
	return nil
}

func stuckInHandOver(a *Arena) error {
	for i := range hundred {
		c, err := a.promised(fmt.Sprint("stuck ", i))
		if err != nil {
			return err
		}
		if i%2 == 0 { // half of them are ready, but do not tell that they have it
			c.TrySend(wire.Dummy)
		}
	}
	return nil
}

// promised makes a client that was told of a session, and has not got it.
func (a *Arena) promised(label string) (c *wire.Client, err error) {
	c, _, err = a.promisedFrom(label)
	return c, err
}

// promisedFrom is promised with its session, of which the remote end is left.
func (a *Arena) promisedFrom(label string) (c *wire.Client, s *wire.Session, err error) {
	if c, err = a.greeted(); err != nil {
		return nil, nil, err
	}
	if s, err = wire.Pair(); err != nil {
		return nil, nil, err
	}
	a.keep(s.Remote)
	defer s.CloseLocal()
	if err := c.Save(label, "2", s.Local); err != nil {
		return nil, nil, fmt.Errorf("save_endp: %w", err)
	}
	if err := c.Ask(wire.FindEndpoint(label), wire.Found); err != nil {
		return nil, nil, fmt.Errorf("find_endp: %w", err)
	}
	return c, s, nil
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
	stuck.TrySend(halfRequest)
	owing, err := a.greeted()
	if err != nil {
		return err
	}
	owing.TrySend(wire.SaveEndpoint("owed", "2"))
	handOver, err := a.promised("never taken")
	if err != nil {
		return err
	}
	unread, err := a.greeted()
	if err != nil {
		return err
	}
	fill(a.ctx, unread)
	for what, c := range map[string]*wire.Client{"in a request": stuck, "that owes a descriptor": owing, "in a hand-over": handOver, "that never reads": unread} {
		if !c.Ended(patience) {
			return fmt.Errorf("a client %s was not dropped", what)
		}
	}
	return nil
}
