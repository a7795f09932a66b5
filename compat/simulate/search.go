package simulate

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Options are what [Search] searches.
type Options struct {
	First   uint64 // seed
	Seeds   uint64 // how many
	Workers int    // at a time; 0 is taken for 1
	Most    int    // stop after so many failures; 0 for never
	// Progress, if set, is called now and then with how many seeds are done, in one
	// goroutine at a time.
	Progress func(done uint64)
}

// A Report is what a search has found.
type Report struct {
	First    uint64        `json:"first"`
	Seeds    uint64        `json:"seeds"` // that were tried
	Duration time.Duration `json:"nanoseconds"`
	Failures []*Failure    `json:"failures"`
}

// Rate is how many seeds were tried in a second.
func (r *Report) Rate() float64 { return float64(r.Seeds) / r.Duration.Seconds() }

// batch is how many seeds a worker takes at a time.
const batch = 50

// Search tries seeds, until they are all tried, there are enough failures, or the
// context is done. Failures come in the order of their seeds, and are shrunk.
func Search(ctx context.Context, o Options) *Report {
	r := &Report{First: o.First}
	start := time.Now()
	var next, done atomic.Uint64
	var mu sync.Mutex
	var wg sync.WaitGroup
	enough := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return ctx.Err() != nil || o.Most > 0 && len(r.Failures) >= o.Most
	}
	for range max(o.Workers, 1) {
		wg.Go(func() {
			for !enough() {
				from := next.Add(batch) - batch
				if from >= o.Seeds {
					return
				}
				to := min(from+batch, o.Seeds)
				for i := from; i < to; i++ {
					if f := RunSmall(o.First + i); f != nil {
						mu.Lock()
						r.Failures = append(r.Failures, f)
						mu.Unlock()
					}
				}
				done.Add(to - from)
				if o.Progress != nil {
					mu.Lock()
					o.Progress(done.Load())
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	r.Seeds, r.Duration = done.Load(), time.Since(start)
	slices.SortFunc(r.Failures, func(a, b *Failure) int {
		if a.Seed < b.Seed {
			return -1
		}
		return 1
	})
	return r
}

// RunSmall is [Run] that, when it fails, does so again with as few clients as it
// takes.
func RunSmall(seed uint64) *Failure {
	f := Run(seed, nil, nil)
	if f != nil {
		f = shrink(f)
	}
	return f
}

// shrink leaves clients away as long as the server still fails. Each client has
// random numbers of its own, so those that stay do much the same.
func shrink(f *Failure) *Failure {
	p := newPlan(f.Seed, nil)
	for _, c := range p.clients {
		if smaller := Run(f.Seed, append(slices.Clone(f.Without), c.number), nil); smaller != nil {
			f = smaller
		}
	}
	return f
}
