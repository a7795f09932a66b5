package diff

import (
	"context"
	"fmt"
	"time"
)

// chunkSize is how many random transcripts are played to the same daemons. After
// that labels would become scarce, and bindings many. The transcripts of a chunk
// that have to do with time are played side by side, to daemons of their own.
const chunkSize = 1000

// mostBatches is how many chunks may wait at a time for seconds to pass.
const mostBatches = 8

// A randomRun is one goroutine that plays chunks of random transcripts.
type randomRun struct {
	*run
	processor *processor // nil if there is none to share
	pairs     [2][2]*pair
	label     int
	batches   []*batch
}

// A chunk is a range of random transcripts, and what has come of it so far.
type chunk struct {
	from, to uint64
	sum      Tally
	parts    int // that are being played: the transcripts that wait, and the others
}

// play plays chunks until there are no more, and then what is left of those whose
// transcripts wait.
func (r *randomRun) play(ctx context.Context, next func() *chunk) error {
	defer r.close()
	for ctx.Err() == nil {
		c := next()
		if c == nil {
			break
		}
		if err := r.chunk(ctx, c); err != nil {
			return err
		}
		for len(r.batches) >= mostBatches && ctx.Err() == nil {
			if err := r.awaitBatch(ctx); err != nil {
				return err
			}
		}
	}
	for len(r.batches) > 0 && ctx.Err() == nil {
		if err := r.awaitBatch(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// chunk plays the transcripts of a chunk. Those that wait go on afterwards.
func (r *randomRun) chunk(ctx context.Context, c *chunk) error {
	var timed []*Transcript
	for i := c.from; i < c.to; i++ {
		if isTimed(i) {
			timed = append(timed, r.generate(i))
		}
	}
	c.parts = 1
	if len(timed) > 0 {
		c.parts = 2
		if err := r.startBatch(ctx, c, timed); err != nil {
			return err
		}
	}
	for i := c.from; i < c.to && ctx.Err() == nil; i++ {
		if isTimed(i) {
			continue
		}
		t := r.generate(i)
		if err := r.one(ctx, c, t); err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
		r.played(1)
		if err := r.turns(ctx); err != nil {
			return err
		}
	}
	if ctx.Err() == nil {
		if err := r.retire(ctx, c); err != nil {
			return err
		}
		r.done(c)
	}
	return ctx.Err()
}

func (r *randomRun) generate(i uint64) *Transcript {
	t := Generate(r.Seed, i)
	t.Setup.Dialect = r.Dialect
	t.Setup.UTF8 = t.Setup.UTF8 && !r.plainLog
	return t
}

func (r *randomRun) close() {
	for _, b := range r.batches {
		b.pair.close()
	}
	r.batches = nil
	for v := range r.pairs {
		for s := range r.pairs[v] {
			r.drop(&r.pairs[v][s])
		}
	}
}

func (r *randomRun) drop(p **pair) {
	if *p != nil {
		(*p).close()
		*p = nil
	}
}

// slot is where the daemons stand that a transcript is played to. They are verbose
// or not. And where it can come to a descriptor that nobody asked for, which ours
// takes less kindly than the reference, their statistics differ, so that these have
// daemons of their own.
func (r *randomRun) slot(t *Transcript) **pair {
	verbose, surplus := 0, 0
	if t.Setup.Verbose {
		verbose = 1
	}
	if t.surplus() {
		surplus = 1
	}
	return &r.pairs[verbose][surplus]
}

// one plays a transcript, and again if it shows an unnamed difference: to fresh
// daemons, and without relying on priorities. What shows there is made small.
func (r *randomRun) one(ctx context.Context, on *chunk, t *Transcript) error {
	c, err := r.tryOn(ctx, on, r.slot(t), r.processor, t)
	if err != nil {
		return err
	}
	if !Unnamed(c.differences) || r.First {
		r.note(on, t, c)
		if r.First && Unnamed(c.differences) {
			return errFound
		}
		return nil
	}
	// What its daemons have counted differs, too.
	r.drop(r.slot(t))
	seen := Finding{Transcript: t, Reference: c.reference, Ours: c.ours, Differences: c.differences}
	r.tell(Seen, seen)
	again, err := r.freshly(ctx, t, timesAlone)
	if err != nil {
		return err
	}
	if !Unnamed(again.differences) {
		r.notAgain(on, seen)
		return nil
	}
	return r.shrink(ctx, on, t, again)
}

// shrink reports a small transcript that shows a difference as t does.
func (r *randomRun) shrink(ctx context.Context, on *chunk, t *Transcript, c *comparison) error {
	var own *pair
	defer func() { r.drop(&own) }()
	small := Shrink(t, func(candidate *Transcript) bool {
		if ctx.Err() != nil {
			return false
		}
		if own != nil && own.ours.setup != candidate.Setup {
			r.drop(&own)
		}
		c, err := r.tryOn(ctx, on, &own, nil, candidate)
		return err == nil && Unnamed(c.differences)
	})
	if again, err := r.freshly(ctx, small, timesAlone); err == nil && Unnamed(again.differences) {
		t, c = small, again
	}
	r.note(on, t, c)
	if r.foundEnough() {
		return errFound
	}
	return ctx.Err()
}

// tryOn plays a transcript to daemons, which it starts if need be, on a processor of
// their own if not nil, and ends if they are of no more use.
func (r *randomRun) tryOn(ctx context.Context, on *chunk, at **pair, where *processor, t *Transcript) (*comparison, error) {
	if *at == nil {
		pair, err := r.start(ctx, where, t.Setup)
		if err != nil {
			return nil, err
		}
		*at = pair
		r.noteStart(on, pair)
	}
	r.label++
	(*at).played = append((*at).played, t)
	c, err := (*at).compare(t, newLabeler(r.label))
	if err == nil {
		err = ctx.Err() // its end is that of the daemons
	}
	if err != nil || !c.usable {
		r.drop(at)
	}
	return c, err
}

// retire ends all daemons but those of batches, and compares what they have counted.
func (r *randomRun) retire(ctx context.Context, c *chunk) error {
	var retired []*pair
	var came []*comparison
	for v := range r.pairs {
		for s := range r.pairs[v] {
			p := r.pairs[v][s]
			if r.pairs[v][s] = nil; p == nil {
				continue
			}
			if differences := p.retire(); len(differences) > 0 {
				retired, came = append(retired, p), append(came, &comparison{differences: differences})
			}
		}
	}
	r.label = 0
	for i, p := range retired {
		if ctx.Err() != nil {
			break // that is why
		}
		one := func(list []*Transcript) []*Transcript { return list }
		if err := r.narrow(ctx, c, "statistics-"+p.played[0].Name, p.played, one, came[i]); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// random plays all random transcripts, some chunks at a time.
func (r *run) random(ctx context.Context) error {
	chunks := r.chunks()
	if len(chunks) == 0 {
		return nil
	}
	return r.inParallel(ctx, min(r.workers(), len(chunks)), func(ctx context.Context, worker int) error {
		one := &randomRun{run: r}
		if !r.Patient {
			processor, err := takeProcessor(worker)
			if err == nil {
				one.processor = processor
			}
			r.noteSlow(err)
		}
		return one.play(ctx, func() *chunk { return r.nextChunk(chunks) })
	})
}

// wait sleeps until then, or until the context ends.
func wait(ctx context.Context, until time.Time) error {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
