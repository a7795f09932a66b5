package diff

import (
	"bytes"
	"slices"
)

// shrinkTries is how many transcripts are played to find a small one.
const shrinkTries = 1500

// Shrink makes a transcript as small as it can while it still fails.
func Shrink(t *Transcript, fails func(*Transcript) bool) *Transcript {
	s := &shrinker{best: t, fails: fails, tries: shrinkTries}
	for again := true; again && s.tries > 0; {
		again = s.removeSteps()
		again = s.simplify() || again
		again = s.shortenData() || again
	}
	return s.best
}

type shrinker struct {
	best  *Transcript
	fails func(*Transcript) bool
	tries int
}

// try takes a candidate if it still fails.
func (s *shrinker) try(candidate *Transcript) bool {
	if s.tries <= 0 {
		return false
	}
	s.tries--
	candidate.Name, candidate.Recorded = s.best.Name, nil
	if !s.fails(candidate) {
		return false
	}
	s.best = candidate
	return true
}

// with is a copy of the best so far with other steps.
func (s *shrinker) with(steps []Step) *Transcript {
	copied := *s.best
	copied.Steps = steps
	return &copied
}

// removeSteps takes steps away, many at first.
func (s *shrinker) removeSteps() (any bool) {
	for size := len(s.best.Steps) / 2; size > 0; size /= 2 {
		for at := 0; at+size <= len(s.best.Steps); {
			if s.try(s.with(slices.Delete(slices.Clone(s.best.Steps), at, at+size))) {
				any = true
			} else {
				at += size
			}
		}
	}
	return any
}

// simplify does without options, clients, descriptors.
func (s *shrinker) simplify() (any bool) {
	plain := s.with(s.best.Steps)
	plain.Setup = Setup{}
	if s.best.Setup != plain.Setup && s.try(plain) {
		any = true
	}
	for i := range s.best.Steps {
		step := s.best.Steps[i]
		if step.Client != "" {
			other := step
			other.Client = ""
			any = s.replace(i, other) || any
		}
		if step.Descriptors > 0 {
			other := s.best.Steps[i]
			other.Descriptors--
			any = s.replace(i, other) || any
		}
	}
	return any
}

func (s *shrinker) replace(i int, step Step) bool {
	steps := slices.Clone(s.best.Steps)
	steps[i] = step
	return s.try(s.with(steps))
}

// shortenData takes bytes away. Of many it does not try each.
func (s *shrinker) shortenData() (any bool) {
	for i := range s.best.Steps {
		least := max(1, len(s.best.Steps[i].Data)/100)
		for size := len(s.best.Steps[i].Data) / 2; size >= least; size /= 2 {
			for at := 0; at+size <= len(s.best.Steps[i].Data); {
				step := s.best.Steps[i]
				step.Data = slices.Delete(bytes.Clone(step.Data), at, at+size)
				if len(step.Data) > 0 && s.replace(i, step) {
					any = true
				} else {
					at += size
				}
			}
		}
	}
	return any
}
