package diff

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"time"
)

// A Tally counts what came of random transcripts. It is kept between several runs
// with the same seed.
type Tally struct {
	Seed uint64 `json:"seed"`
	// Done are the ranges of transcripts that were compared, in their order, and
	// Played is how many those are.
	Done   []Range `json:"done"`
	Played uint64  `json:"transcripts"`
	// Timed is how many of them had waits in them.
	Timed uint64 `json:"with_waits"`
	// Unnamed is how many differences were found that have no name, and NotAgain how
	// many of another kind: those that were not there when the transcript was played
	// again, to fresh daemons and without relying on priorities.
	Unnamed  uint64 `json:"unnamed_differences"`
	NotAgain uint64 `json:"not_reproduced"`
	// Found are the transcripts that show the unnamed ones.
	Found []string `json:"found,omitempty"`
	// Repeated is how often a machine that was too busy made it necessary to play
	// transcripts again that have waits in them, and Late how often it was to the end.
	Repeated uint64 `json:"repeated"`
	Late     uint64 `json:"not_compared"`
	// Named counts the transcripts that show each named difference.
	Named   map[string]uint64 `json:"named_differences,omitempty"`
	Seconds float64           `json:"seconds"`
}

// A Range is the transcripts From to To, without that, as one build compared them.
type Range struct {
	From  uint64 `json:"from"`
	To    uint64 `json:"to"`
	Build string `json:"build,omitempty"`
}

func (t *Tally) clone() Tally {
	copied := *t
	copied.Done, copied.Found, copied.Named = slices.Clone(t.Done), slices.Clone(t.Found), maps.Clone(t.Named)
	return copied
}

// add adds what came of a range.
func (t *Tally) add(r Range, sum *Tally) {
	at, _ := slices.BinarySearchFunc(t.Done, r.From, func(have Range, from uint64) int {
		if have.From < from {
			return -1
		}
		return 1
	})
	t.Done = slices.Insert(t.Done, at, r)
	for i := max(at-1, 0); i+1 < len(t.Done) && i <= at+1; {
		if a, b := t.Done[i], t.Done[i+1]; a.To == b.From && a.Build == b.Build {
			t.Done[i].To = b.To
			t.Done = slices.Delete(t.Done, i+1, i+2)
			continue
		}
		i++
	}
	t.Played += r.To - r.From
	t.Timed += r.To/timedOf - r.From/timedOf
	t.Unnamed += sum.Unnamed
	t.Found = append(t.Found, sum.Found...)
	t.NotAgain += sum.NotAgain
	t.Repeated += sum.Repeated
	t.Late += sum.Late
	for name, n := range sum.Named {
		t.count(name, n)
	}
}

func (t *Tally) count(name string, n uint64) {
	if t.Named == nil {
		t.Named = make(map[string]uint64)
	}
	t.Named[name] += n
}

// has tells whether a chunk has been compared.
func (t *Tally) has(c *chunk) bool {
	return slices.ContainsFunc(t.Done, func(r Range) bool { return r.From <= c.from && c.to <= r.To })
}

func (r *run) workers() int {
	if r.Workers > 0 {
		return r.Workers
	}
	return runtime.NumCPU()
}

// chunks are those that are left to do.
func (r *run) chunks() (left []*chunk) {
	for from := uint64(0); from < r.Random; from += chunkSize {
		c := &chunk{from: from, to: min(from+chunkSize, r.Random)}
		if !r.report.Tally.has(c) {
			left = append(left, c)
		}
	}
	return left
}

// nextChunk is nil when there are no more.
func (r *run) nextChunk(chunks []*chunk) *chunk {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next == len(chunks) {
		return nil
	}
	r.next++
	return chunks[r.next-1]
}

// done notes that a chunk, or one of the two parts of it, has been compared.
func (r *run) done(c *chunk) {
	if c.parts--; c.parts > 0 {
		return
	}
	r.mu.Lock()
	r.report.Tally.add(Range{c.from, c.to, r.Build}, &c.sum)
	r.mu.Unlock()
	if err := r.checkpoint(false); err != nil {
		r.noteSlow(err)
	}
}

// checkpointInterval is the time between two checkpoints.
const checkpointInterval = 5 * time.Second

// checkpoint hands out the tally, when it is time or at the end.
func (r *run) checkpoint(end bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if r.Checkpoint == nil || !end && now.Sub(r.saved) < checkpointInterval {
		return nil
	}
	if !r.saved.IsZero() {
		r.report.Tally.Seconds += now.Sub(r.saved).Seconds()
	}
	r.saved = now
	tally := r.report.Tally.clone()
	return r.Checkpoint(&tally)
}

// note counts the differences of a random transcript. Those that have a name are
// many, and only counted, unless they are asked for.
func (r *randomRun) note(c *chunk, t *Transcript, came *comparison) {
	f := Finding{Transcript: t, Reference: came.reference, Ours: came.ours, Differences: came.differences}
	if Unnamed(came.differences) {
		r.unnamed(c, f)
		return
	}
	for name := range names(came.differences) {
		c.sum.count(name, 1)
	}
	if r.Named && len(came.differences) > 0 {
		r.add(f)
	}
}

// unnamed notes an unnamed difference.
func (r *randomRun) unnamed(c *chunk, f Finding) {
	c.sum.Unnamed++
	c.sum.Found = append(c.sum.Found, f.Transcript.Name)
	r.add(f)
}

// notAgain notes a difference that was not there the second time. The first few are
// kept.
func (r *randomRun) notAgain(c *chunk, f Finding) {
	c.sum.NotAgain++
	r.tell(NotReproduced, f)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.report.NotAgain) < enough {
		r.report.NotAgain = append(r.report.NotAgain, f)
	}
}

// noteStart notes what daemons have logged differently when they were started.
func (r *randomRun) noteStart(c *chunk, p *pair) {
	if differences := p.startup(); len(differences) > 0 {
		t := &Transcript{Name: fmt.Sprintf("start-%d-%d", r.Seed, c.from), Setup: p.ours.setup}
		r.note(c, t, &comparison{differences: differences})
	}
}

func (r *randomRun) late(c *chunk, name string) {
	c.sum.Late++
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Late = append(r.report.Late, name)
}

// noteSlow keeps the reason why random transcripts take longer than they could.
func (r *run) noteSlow(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.report.Slow = err.Error()
	}
}
