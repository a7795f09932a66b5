package torture

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"scache/compat/wire"
)

// A goodClient does what smtp(8) does, over and over.
type goodClient struct {
	path   string       // of the daemon's socket
	label  string       // its own, so that nobody else finds its sessions
	client *wire.Client // nil when not connected
	cycles int
	missed int             // cycles in which the SMTP session was no longer there
	took   []time.Duration // of the cycles that were counted
}

// retries is how often a good client tries again with a new connection.
const retries = 3

// reconnect is after how many cycles a good client connects anew.
const reconnect = 8

func newGoodClient(path, label string) *goodClient {
	return &goodClient{path: path, label: label}
}

func (g *goodClient) close() {
	if g.client != nil {
		g.client.Close()
		g.client = nil
	}
}

// cycle saves a session, finds it by destination, and takes it to be wrong when
// it is not that session that it gets. A client may be disconnected at any time when
// places are short; it connects again then.
func (g *goodClient) cycle() error {
	s, err := wire.Pair()
	if err != nil {
		return err
	}
	defer s.Close()
	start := time.Now()
	fresh := g.client == nil || g.cycles%reconnect == 0
	got, err := g.exchange(s.Local, fresh)
	for range retries {
		if err == nil || time.Since(start) >= patience {
			break
		}
		got, err = g.exchange(s.Local, true)
	}
	if err != nil {
		g.close()
		return err
	}
	g.cycles++
	g.took = append(g.took, time.Since(start))
	if got < 0 {
		g.missed++
		return nil
	}
	defer unix.Close(got)
	return s.Verify(got)
}

func (g *goodClient) exchange(session int, connect bool) (got int, err error) {
	if connect {
		g.close()
		if g.client, err = wire.DialGreeted(g.path, patience); err != nil {
			return -1, err
		}
	}
	if err := g.client.Save(g.label, "2", session); err != nil {
		return -1, fmt.Errorf("save_endp: %w", err)
	}
	if err := g.client.Ask(wire.SaveDestination("of "+g.label, "2", g.label), wire.Done); err != nil {
		return -1, fmt.Errorf("save_dest: %w", err)
	}
	hit, err := g.client.LookUp(wire.FindDestination("of "+g.label), wire.FoundBy, wire.MissedBy)
	if err != nil {
		return -1, fmt.Errorf("find_dest: %w", err)
	}
	if !hit {
		return -1, nil
	}
	return g.client.Take()
}

// percentile is what this share of the cycles, in hundredths, took at most.
func percentile(took []time.Duration, hundredths int) time.Duration {
	if len(took) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(took))
	return sorted[min(len(sorted)*hundredths/100, len(sorted)-1)]
}

// beside is what good clients see while an attack is on.
type beside struct {
	attacked, spared *goodClient
	err              error // why the good client of the attacked daemon gave up
}

// warmUp lets the daemons take the memory that they need, and leaves the one that
// will be attacked alone.
func (b *beside) warmUp() error {
	const cycles = 200
	for range cycles {
		if err := errors.Join(b.attacked.cycle(), b.spared.cycle()); err != nil {
			return err
		}
	}
	b.attacked.close()
	b.attacked.took, b.spared.took = nil, nil
	return nil
}

// goodPause is how long good clients do something else between two cycles. It
// leaves the processor to the daemons.
const goodPause = 500 * time.Microsecond

// watch runs cycles in turns on the attacked daemon and on one that is spared,
// until ctx ends, at least as many as needed for a percentile. With afresh, those
// before the end of ctx do not count, and as many follow.
func (b *beside) watch(ctx context.Context, enough int, afresh bool) error {
	var over time.Time
	for n := 0; b.err == nil && (afresh || n < enough || ctx.Err() == nil); n++ {
		if afresh && ctx.Err() != nil {
			b.attacked.took, b.spared.took = nil, nil
			n, afresh = 0, false
		}
		switch {
		case ctx.Err() == nil:
		case over.IsZero():
			over = time.Now()
		case time.Since(over) > patience && n > 0:
			return nil
		}
		if err := b.both(n%2 == 0); err != nil {
			return fmt.Errorf("the daemon beside, which nobody attacks: %w", err)
		}
		pause(context.WithoutCancel(ctx), goodPause)
	}
	return nil
}

// both runs a cycle on either daemon. The first one after a pause takes longer, so
// each of them has to be that in turn.
func (b *beside) both(attackedFirst bool) error {
	if attackedFirst {
		b.err = b.attacked.cycle()
	}
	err := b.spared.cycle()
	if !attackedFirst {
		b.err = b.attacked.cycle()
	}
	return err
}
