package diff

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A Finding is a transcript in which there are differences.
type Finding struct {
	Transcript      *Transcript
	Reference, Ours *Result
	Differences     []Difference
	// Together are the transcripts that were played one after the other to the same
	// daemons, where the difference is in what these have counted in the end. What
	// Transcript holds is then a name. See Options.Together.
	Together []*Transcript
}

// A Stage says how much is known of an unnamed difference.
type Stage string

const (
	// Seen is for one that random transcripts have shown once. They are played again
	// next.
	Seen Stage = "seen once"
	// Confirmed is for one that was there again with fresh daemons, without relying on
	// how the kernel schedules, and that is now as small as it gets.
	Confirmed Stage = "confirmed"
	// NotReproduced is for one that was not.
	NotReproduced Stage = "not reproduced"
)

// tell passes on what is known of an unnamed difference.
func (r *run) tell(stage Stage, f Finding) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.Found != nil {
		r.Found(stage, f)
	}
}

// together plays transcripts one after the other to daemons that were started for
// them, and compares what these have counted in the end; unless they differ before
// that. If the machine is too busy it does so again, up to the given number of times
// in all.
func (p Programs) together(ctx context.Context, list []*Transcript, times int) (c *comparison, err error) {
	for try := 1; ; try++ {
		c, err = p.togetherOnce(ctx, list)
		if !errors.Is(err, ErrLate) || try >= times || ctx.Err() != nil {
			return c, err
		}
	}
}

func (p Programs) togetherOnce(ctx context.Context, list []*Transcript) (c *comparison, err error) {
	pair, err := p.start(ctx, nil, list[0].Setup)
	if err != nil {
		return nil, err
	}
	defer pair.close()
	for i, t := range list {
		if t.Setup != list[0].Setup {
			return nil, fmt.Errorf("%s: the daemons are started in another way than for %s", t.Name, list[0].Name)
		}
		if c, err = pair.compare(t, newLabeler(i+1)); err != nil {
			return nil, fmt.Errorf("%s: %w", t.Name, err)
		}
		if !c.usable || Unnamed(c.differences) {
			return c, ctx.Err()
		}
	}
	c.differences = append(c.differences, pair.retire()...)
	return c, ctx.Err()
}

// narrow deals with an unnamed difference that many transcripts have shown together,
// which join makes a list of to be played one after the other. It reports half of
// them, half of that half, and so on, as long as that shows a difference; or that it
// was not there again.
func (r *randomRun) narrow(ctx context.Context, on *chunk, name string, members []*Transcript, join func([]*Transcript) []*Transcript, came *comparison) error {
	list := join(members)
	finding := func(c *comparison) Finding {
		f := Finding{Transcript: list[0], Reference: c.reference, Ours: c.ours, Differences: c.differences, Together: list}
		if len(list) > 1 {
			f.Transcript, f.Reference, f.Ours = &Transcript{Name: name, Setup: list[0].Setup}, nil, nil
		}
		return f
	}
	if r.First {
		r.unnamed(on, finding(came))
		return errFound
	}
	seen := finding(came)
	r.tell(Seen, seen)
	again, err := r.together(ctx, list, timesAlone)
	switch {
	case ctx.Err() != nil:
		return ctx.Err() // its end is that of the daemons
	case errors.Is(err, ErrLate):
		r.late(on, name) // there is no telling; what was seen is saved
		return nil
	case err != nil:
		return err
	case !Unnamed(again.differences):
		r.notAgain(on, seen)
		return nil
	}
	for len(members) > 1 && ctx.Err() == nil {
		half, found := len(members)/2, false
		for _, some := range [][]*Transcript{members[:half], members[half:]} {
			if less, err := r.together(ctx, join(some), timesAlone); err == nil && Unnamed(less.differences) {
				members, list, again, found = some, join(some), less, true
				break
			}
		}
		if !found {
			break
		}
	}
	r.unnamed(on, finding(again))
	if r.foundEnough() {
		return errFound
	}
	return ctx.Err()
}

// Save writes what there is to know about a finding into a directory: NAME.txt for
// people, and in NAME.json the transcripts, with what the reference does. It returns
// the names of the files.
func (f *Finding) Save(dir string) (files []string, err error) {
	var text strings.Builder
	text.WriteString(legend)
	f.print(&text)
	list := f.Together
	if list == nil {
		list = []*Transcript{f.recording()}
	}
	name := filepath.Join(dir, f.Transcript.Name)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	err = errors.Join(WriteFile(name+".json", list), os.WriteFile(name+".txt", []byte(text.String()), 0o666))
	return []string{name + ".json", name + ".txt"}, err
}
