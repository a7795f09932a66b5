package torture

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"scache/compat/master"
	"scache/compat/testbed"
	"scache/compat/wire"
	"scache/scached/control"
)

// An administrator who lists 20,000 sessions without pause, while others come and
// go, sees every one that stays exactly once, and holds up nobody.
func TestListing(t *testing.T) {
	const sessions = 19_000
	d, err := master.Start(t.Context(), master.Options{Program: testbed.Ours(t),
		MainCF: "connection_cache_ttl_limit = 300s\nscached_endpoint_session_limit = 20000\n"})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	saver, err := wire.DialGreeted(d.Socket(), patience)
	if err != nil {
		t.Fatal(err)
	}
	defer saver.Close()
	s, err := wire.Pair()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i := range sessions {
		if err := saver.Save(fmt.Sprintf("stays\n%d\n", i), "300", s.Local); err != nil {
			t.Fatalf("session %d: %v", i, err)
		}
	}
	good := newGoodClient(d.Socket(), "good")
	defer good.close()
	cycles := func(n int) []time.Duration {
		good.took = nil
		for range n {
			if err := good.cycle(); err != nil {
				t.Fatal(err)
			}
		}
		return good.took
	}
	const n = 1000
	cycles(n) // to begin with
	alone := cycles(n)
	ctx, stop := context.WithCancel(t.Context())
	listed := make(chan error, 1)
	rounds := 0
	go func() { listed <- list(ctx, d.Socket(), sessions, &rounds) }()
	beside := cycles(n)
	stop()
	if err := <-listed; err != nil {
		t.Error(err)
	}
	t.Logf("good cycles alone: p99 %v, longest %v; beside listings: p99 %v, longest %v; %d whole listings",
		percentile(alone, 99), percentile(alone, 100), percentile(beside, 99), percentile(beside, 100), rounds)
	// The one who lists takes a processor, as the good client and the daemon do; so
	// there is one too few, and more than one where others are at work.
	if before, now := percentile(alone, 99), percentile(beside, 99); now > 3*before+5*time.Millisecond {
		t.Errorf("p99 of a good cycle: %v, and %v while somebody lists", before, now)
	}
	flushed, _, err := (&control.Client{Path: d.Socket()}).Flush(t.Context(), control.Filter{Transport: "stays"})
	if err != nil || flushed != sessions {
		t.Errorf("flushed %d of %d: %v", flushed, sessions, err)
	}
}

// list lists all sessions, over and over, and looks whether those that stay are
// there once.
func list(ctx context.Context, path string, stay int, rounds *int) error {
	c := &control.Client{Path: path}
	for {
		seen := make([]int, stay)
		err := c.Sessions(ctx, control.Filter{}, func(e control.Entry) error {
			if number, ok := strings.CutPrefix(e.Label, "stays\n"); ok {
				n, err := strconv.Atoi(strings.TrimSuffix(number, "\n"))
				if err != nil || n >= stay {
					return fmt.Errorf("listed %q", e.Label)
				}
				seen[n]++
			}
			return nil
		})
		if errors.Is(err, context.Canceled) {
			return nil
		}
		if err != nil {
			return err
		}
		for n, times := range seen {
			if times != 1 {
				return fmt.Errorf("session %d was listed %d times", n, times)
			}
		}
		*rounds++
	}
}
