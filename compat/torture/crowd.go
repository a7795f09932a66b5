package torture

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"scache/compat/master"
	"scache/compat/wire"
)

// crowdAttacks are clients that are many, or never rest.
func crowdAttacks() []Attack {
	return []Attack{
		{Name: "1,000 busy clients, and some that connect", Greedy: true, Alone: true, Strike: busyAndNew},
		{Name: "two clients that send 253 descriptors at the wrong moment without pause", Greedy: true, Strike: wrongFlood,
			Options: master.Options{NoFile: 4096, MainCF: "connection_cache_ttl_limit = 20s\n"}, Settle: 4 * time.Second},
	}
}

// busyAndNew measures how long new clients wait for their greeting while others
// have always something to be done.
func busyAndNew(a *Arena) error {
	clients, err := a.crowd(1000, a.greeted)
	if err != nil {
		return err
	}
	requests := strings.Repeat(wire.FindEndpoint("nothing"), 20)
	rests := make([]string, len(clients)) // of what was sent in part
	const threads = 1
	for i := range threads {
		a.start(func(ctx context.Context) {
			for ctx.Err() == nil {
				for j := i; j < len(clients); j += threads {
					rest := rests[j]
					if rest == "" {
						rest = requests
					}
					n, _ := clients[j].TrySend(rest)
					rests[j] = rest[n:]
					clients[j].Arrived()
				}
			}
		})
	}
	pause(a.ctx, 200*time.Millisecond) // until all are busy
	took, err := a.newcomers(4, a.bound(time.Second, 3*time.Second))
	if err != nil {
		return err
	}
	p99 := percentile(took, 99)
	a.remark("p99 from connect to greeting %v", p99.Round(time.Millisecond/10))
	if limit := a.bound(300*time.Millisecond, 50*time.Millisecond); p99 > limit {
		return fmt.Errorf("p99 from connect to greeting is %v, more than %v", p99, limit)
	}
	return nil
}

// newcomers has so many clients at a time connect, be greeted and go, and returns
// what that took.
func (a *Arena) newcomers(n int, duration time.Duration) (took []time.Duration, err error) {
	var connecting sync.WaitGroup
	var mu sync.Mutex
	end := time.Now().Add(duration)
	for range n {
		connecting.Go(func() {
			for time.Now().Before(end) && a.ctx.Err() == nil {
				start := time.Now()
				c, dialErr := wire.DialGreeted(a.Daemon.Socket(), patience)
				mu.Lock()
				took = append(took, time.Since(start))
				err = errors.Join(err, dialErr)
				mu.Unlock()
				if dialErr != nil {
					return
				}
				c.Close()
				pause(a.ctx, time.Millisecond)
			}
		})
	}
	connecting.Wait()
	return took, err
}

// wrongFlood fills the table of descriptors as fast as two clients can, while
// there are sessions in the cache and good clients save others.
func wrongFlood(a *Arena) error {
	const cached = 50
	saver, err := a.greeted()
	if err != nil {
		return err
	}
	for i := range cached {
		s, err := wire.Pair()
		if err != nil {
			return err
		}
		a.keep(s.Remote)
		err = saver.Save(fmt.Sprint("cached ", i), "20", s.Local)
		s.CloseLocal()
		if err != nil {
			return err
		}
	}
	ctx, over := context.WithTimeout(a.ctx, a.bound(time.Second, 3*time.Second))
	defer over()
	var flooding sync.WaitGroup
	for range 2 {
		flooding.Go(func() { a.floodWrong(ctx) })
	}
	flooding.Wait()
	lost := 0
	for i := range cached {
		session, err := saver.Find(fmt.Sprint("cached ", i))
		switch {
		case err == nil:
			closeAll([]int{session})
		case errors.Is(err, wire.ErrMissed):
			lost++
		default:
			return fmt.Errorf("find: %w", err)
		}
	}
	if lost > 0 {
		return fmt.Errorf("%d of %d cached sessions are gone", lost, cached)
	}
	return nil
}

// floodWrong sends messages that are full of descriptors with requests that need
// none, again and again, from a new client whenever it has been disconnected.
func (a *Arena) floodWrong(ctx context.Context) {
	files, err := largeCrowd()
	if err != nil {
		return
	}
	defer closeAll(files)
	message := wire.Rights(files...)
	for ctx.Err() == nil {
		c, err := wire.DialGreeted(a.Daemon.Socket(), patience)
		if err != nil {
			return
		}
		for err == nil && ctx.Err() == nil {
			if err = c.SendControl(wire.FindEndpoint("nothing"), message); err == nil {
				_, _, _, err = c.Arrived()
			}
		}
		c.Close()
	}
}

// largeCrowd is as many pipes' ends as fit into a message: the daemon cannot know
// that closing them takes no time.
func largeCrowd() (fds []int, err error) {
	for len(fds) < wire.MostInMessage {
		var two [2]int
		if err := unix.Pipe2(two[:], unix.O_CLOEXEC); err != nil {
			closeAll(fds)
			return nil, err
		}
		fds = append(fds, two[0], two[1])
	}
	closeAll(fds[wire.MostInMessage:])
	return fds[:wire.MostInMessage], nil
}
