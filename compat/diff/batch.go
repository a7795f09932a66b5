package diff

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A batch are the transcripts of a chunk that wait for seconds to pass, side by
// side, as one large transcript that is played to daemons of its own. While it waits
// the goroutine plays others.
type batch struct {
	chunk   *chunk
	members []*Transcript
	t       *Transcript // all of them
	pair    *pair
	playing *playing
	tries   int
}

// startBatch starts the daemons. The first turn comes later.
func (r *randomRun) startBatch(ctx context.Context, c *chunk, members []*Transcript) error {
	b := &batch{chunk: c, members: members, t: merge(fmt.Sprintf("timed-%d-%d-%d", r.Seed, c.from, c.to), members)}
	if err := r.restart(ctx, b); err != nil {
		if b.pair != nil {
			b.pair.close()
		}
		return err
	}
	r.batches = append(r.batches, b)
	return nil
}

func (r *randomRun) restart(ctx context.Context, b *batch) error {
	b.tries++
	pair, err := r.start(ctx, r.processor, b.t.Setup)
	if err != nil {
		return err
	}
	b.pair = pair
	r.noteStart(b.chunk, pair)
	b.playing, err = newPlaying(b.t, labeler{}, pair.targets())
	return err
}

// turns takes the turns that are due. All of a turn belongs to the same second; a
// batch that is late since the processor is busy with something else is tried again.
func (r *randomRun) turns(ctx context.Context) error {
	for i := 0; i < len(r.batches); i++ {
		b := r.batches[i]
		if time.Now().Before(b.playing.due) {
			continue
		}
		err := b.playing.turn()
		if ctx.Err() != nil {
			return ctx.Err() // its end is that of the daemons
		}
		if err == nil && !b.playing.over() {
			continue
		}
		if errors.Is(err, ErrLate) && b.tries < timesAlone {
			b.pair.close()
			if err = r.restart(ctx, b); err == nil {
				continue
			}
		}
		r.batches = append(r.batches[:i], r.batches[i+1:]...)
		i--
		if errors.Is(err, ErrLate) {
			b.pair.close()
			r.late(b.chunk, b.t.Name)
			err = nil
		} else if err == nil {
			err = r.end(ctx, b)
		} else {
			b.pair.close()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", b.t.Name, err)
		}
		r.played(len(b.members))
		r.done(b.chunk)
	}
	return nil
}

// awaitBatch waits for the next turn of a batch, and takes it.
func (r *randomRun) awaitBatch(ctx context.Context) error {
	next := r.batches[0].playing.due
	for _, b := range r.batches {
		if b.playing.due.Before(next) {
			next = b.playing.due
		}
	}
	if err := wait(ctx, next); err != nil {
		return err
	}
	return r.turns(ctx)
}

// end compares what came of a batch, and what its daemons have counted.
func (r *randomRun) end(ctx context.Context, b *batch) error {
	defer b.pair.close()
	results, err := b.playing.results()
	if err != nil {
		return err
	}
	c, err := b.pair.compareResults(b.t, results)
	if err != nil {
		return err
	}
	if c.usable {
		c.differences = append(c.differences, b.pair.retire()...)
	}
	if ctx.Err() != nil {
		return ctx.Err() // that is what ended the daemons
	}
	b.chunk.sum.Repeated += uint64(b.tries - 1)
	if !Unnamed(c.differences) {
		r.note(b.chunk, b.t, c)
		return nil
	}
	join := func(some []*Transcript) []*Transcript { return []*Transcript{merge(b.t.Name, some)} }
	return r.narrow(ctx, b.chunk, b.t.Name, b.members, join, c)
}

// merge makes one transcript of many with the same setup: what each of them does
// before its first wait, one after the other, then what each does before its second,
// and so on. Clients and labels of each are its own.
func merge(name string, members []*Transcript) *Transcript {
	merged := &Transcript{Name: name, Setup: members[0].Setup}
	var seconds [][]Step
	for i, t := range members {
		second := 0
		for _, step := range newLabeler(i + 1).steps(t.Steps) {
			if step.Do == Wait {
				second += step.Seconds
				continue
			}
			for len(seconds) <= second {
				seconds = append(seconds, nil)
			}
			step.Client = fmt.Sprintf("%d.%s", i+1, step.Client)
			seconds[second] = append(seconds[second], step)
		}
	}
	for i, steps := range seconds {
		if i > 0 {
			merged.Steps = append(merged.Steps, Step{Do: Wait, Seconds: 1})
		}
		merged.Steps = append(merged.Steps, steps...)
	}
	return merged
}
