package diff

import "context"

// renewal is after how many transcripts daemons are started anew: labels would
// become scarce, and bindings many.
const renewal = 2000

// A randomRun plays random transcripts of one setup, one after the other, to
// daemons that are used again.
type randomRun struct {
	programs Programs
	setup    Setup
	pair     *pair
	label    int
	first    bool // see Options
	report   func(Finding)
}

func (r *randomRun) close() {
	if r.pair != nil {
		r.pair.close()
		r.pair = nil
	}
}

// play plays a transcript and shrinks it if it shows an unnamed difference.
func (r *randomRun) play(ctx context.Context, t *Transcript) error {
	c, err := r.try(ctx, t)
	if err != nil {
		return err
	}
	if !Unnamed(c.differences) {
		r.note(t, c)
		return nil
	}
	if r.first {
		r.note(t, c)
		return errFound
	}
	r.close()
	again, err := r.programs.freshly(ctx, t, timesAlone)
	if err != nil {
		return err
	}
	if !Unnamed(again.differences) {
		for i := range c.differences {
			c.differences[i].What += " (not seen again with fresh daemons)"
		}
		r.note(t, c)
		return nil
	}
	return r.shrink(ctx, t, again)
}

// shrink reports a small transcript that shows a difference as t does.
func (r *randomRun) shrink(ctx context.Context, t *Transcript, c *comparison) error {
	small := Shrink(t, func(candidate *Transcript) bool {
		if ctx.Err() != nil {
			return false
		}
		if r.pair != nil && r.pair.reference.setup != candidate.Setup {
			r.close()
		}
		c, err := r.try(ctx, candidate)
		return err == nil && Unnamed(c.differences)
	})
	r.close()
	if again, err := r.programs.freshly(ctx, small, timesAlone); err == nil && Unnamed(again.differences) {
		t, c = small, again
	}
	r.note(t, c)
	return ctx.Err()
}

func (r *randomRun) note(t *Transcript, c *comparison) {
	if len(c.differences) > 0 {
		r.report(Finding{Transcript: t, Reference: c.reference, Ours: c.ours, Differences: c.differences})
	}
}

// try plays a transcript to daemons that are at hand, and starts them if need be.
func (r *randomRun) try(ctx context.Context, t *Transcript) (*comparison, error) {
	if r.pair != nil && r.pair.played >= renewal {
		r.retire()
	}
	if r.pair == nil {
		pair, err := r.programs.start(ctx, t.Setup)
		if err != nil {
			return nil, err
		}
		r.pair = pair
		r.noteAll("start", pair.startup())
	}
	r.label++
	c, err := r.pair.compare(t, newLabeler(r.label))
	if err != nil || !c.usable {
		r.close()
	}
	return c, err
}

func (r *randomRun) retire() {
	if r.pair != nil {
		r.noteAll("statistics", r.pair.retire())
		r.pair = nil
	}
}

// noteAll reports what is not about one transcript.
func (r *randomRun) noteAll(name string, differences []Difference) {
	if len(differences) > 0 {
		r.report(Finding{Transcript: &Transcript{Name: name, Setup: r.setup}, Differences: differences})
	}
}
