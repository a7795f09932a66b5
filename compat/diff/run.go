package diff

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Options are what to compare, and with what.
type Options struct {
	Programs
	Transcripts []*Transcript // each is played to daemons of its own
	Scripts     []string      // files with cache operations, which need a reference
	// Random is how many random transcripts of Seed are played. They need a
	// reference.
	Random uint64
	Seed   uint64
	// Earlier is what came of the random transcripts so far, if they are played in
	// several runs; nil if not. Checkpoint, if not nil, is called from time to time
	// with what has come of them by then, and at the end, by one goroutine at a time.
	Earlier    *Tally
	Build      string // what is compared, for the tally
	Checkpoint func(*Tally) error
	// Workers is how many goroutines play random transcripts; 0 for one a processor.
	Workers int
	// Patient does not rely on how the kernel schedules, and takes longer.
	Patient bool
	// Named keeps the random transcripts that show named differences, too.
	Named bool
	// First ends the run at the first unnamed difference, which is left as large
	// as it is found.
	First bool
	// Together plays Transcripts one after the other to the same daemons, and compares
	// what these have counted in the end.
	Together bool
	// Found, if not nil, is called as soon as there is an unnamed difference, by one
	// goroutine at a time: when random transcripts have shown it, and again when it is
	// known what came of playing them again.
	Found func(Stage, Finding)
	// Progress, if not nil, is called each time that a transcript has been
	// played, by one goroutine at a time.
	Progress func(done, total int)
}

// enough is after how many unnamed differences the random transcripts end. They
// are most often the same ones, and it takes time to make each small.
const enough = 20

// workers is how many transcripts are played at a time.
const workers = 4

// What has to do with seconds fails on a busy machine. It is then repeated: at
// first while the others go on, and in the end alone.
const (
	timesTogether = 2
	timesAlone    = 5
)

// errFound ends a run.
var errFound = errors.New("a difference was found")

// A run is one call of Run.
type run struct {
	Options
	mu     sync.Mutex
	report Report
	total  int
	next   int       // chunk
	saved  time.Time // the last checkpoint
}

// Run plays all transcripts and compares. An error means that the comparison
// itself failed; what it had found by then is in the report.
func Run(ctx context.Context, o Options) (*Report, error) {
	r := &run{Options: o, total: len(o.Transcripts) + int(o.Random)}
	if r.Earlier != nil {
		r.report.Tally = r.Earlier.clone()
	}
	r.report.Tally.Seed = r.Seed
	r.report.Played, r.report.named = int(r.report.Tally.Played), r.Named
	if o.Random > 0 && o.Reference == "" {
		return nil, errors.New("random transcripts are on no record: a reference is needed")
	}
	if len(o.Scripts) > 0 && o.Reference == "" {
		return nil, errors.New("what scripts lead to is on no record: a reference is needed")
	}
	for _, t := range o.Transcripts {
		if o.Reference == "" && t.Recorded == nil {
			return nil, fmt.Errorf("%s: what the reference does with it is on no record: a reference is needed", t.Name)
		}
	}
	if err := r.examine(ctx); err != nil {
		return nil, err
	}
	began := time.Now()
	err := r.given(ctx)
	if err == nil {
		err = errors.Join(r.random(ctx), r.checkpoint(true))
	}
	if err == nil && len(o.Scripts) > 0 {
		r.report.Scripts, err = runScripts(ctx, o.Programs, o.Scripts)
	}
	if errors.Is(err, errFound) {
		err = nil
	}
	r.report.Time = time.Since(began)
	slices.SortStableFunc(r.report.Findings, func(a, b Finding) int { return compareNames(a, b) })
	return &r.report, err
}

func compareNames(a, b Finding) int {
	switch {
	case a.Transcript.Name < b.Transcript.Name:
		return -1
	case a.Transcript.Name > b.Transcript.Name:
		return 1
	}
	return 0
}

// given plays the given transcripts.
func (r *run) given(ctx context.Context) error {
	if !r.Together || len(r.Transcripts) == 0 {
		return r.fixed(ctx)
	}
	c, err := r.together(ctx, r.Transcripts, timesAlone)
	if err != nil {
		return err
	}
	r.played(len(r.Transcripts))
	if len(c.differences) > 0 {
		t := &Transcript{Name: "together", Setup: r.Transcripts[0].Setup}
		r.add(Finding{Transcript: t, Differences: c.differences, Together: r.Transcripts})
	}
	return nil
}

// fixed plays the given transcripts to daemons of their own, some at a time, and then, one at a time,
// those for which the machine was too busy.
func (r *run) fixed(ctx context.Context) error {
	late := make([]bool, len(r.Transcripts))
	err := r.inParallel(ctx, workers, func(ctx context.Context, worker int) error {
		for i := worker; i < len(r.Transcripts) && ctx.Err() == nil; i += workers {
			err := r.fresh(ctx, r.Transcripts[i], timesTogether)
			if late[i] = errors.Is(err, ErrLate); err != nil && !late[i] {
				return err
			}
			r.played(1)
		}
		return nil
	})
	for i, t := range r.Transcripts {
		if !late[i] || err != nil {
			continue
		}
		r.report.Repeated = append(r.report.Repeated, t.Name)
		if err = r.fresh(ctx, t, timesAlone); errors.Is(err, ErrLate) && ctx.Err() == nil {
			r.report.Late = append(r.report.Late, t.Name)
			err = nil
		}
	}
	return err
}

// fresh plays a transcript to daemons of its own.
func (r *run) fresh(ctx context.Context, t *Transcript, times int) error {
	c, err := r.freshly(ctx, t, times)
	if err != nil {
		return fmt.Errorf("%s: %w", t.Name, err)
	}
	if len(c.differences) > 0 {
		r.add(Finding{Transcript: c.transcript, Reference: c.reference, Ours: c.ours, Differences: c.differences})
	}
	if r.First && Unnamed(c.differences) {
		return errFound
	}
	return nil
}

// inParallel calls do once for each worker. The first error ends it.
func (r *run) inParallel(ctx context.Context, workers int, do func(ctx context.Context, worker int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wait sync.WaitGroup
	for worker := range workers {
		wait.Go(func() {
			if err := do(ctx, worker); err != nil {
				cancel(err)
			}
		})
	}
	wait.Wait()
	return context.Cause(ctx)
}

func (r *run) played(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Played += n
	if r.Progress != nil {
		r.Progress(r.report.Played, r.total)
	}
}

func (r *run) foundEnough() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.report.Unnamed()) >= enough
}

func (r *run) add(f Finding) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Findings = append(r.report.Findings, f)
	if r.Found != nil && Unnamed(f.Differences) {
		r.Found(Confirmed, f)
	}
}
