package diff

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Difference is one thing in which two results differ.
type Difference struct {
	Step int    `json:"step,omitempty"` // from 1 on; 0 for what is not about a step
	What string `json:"what"`           // "answer", "log", "status", "descriptors left", "end"
	// Reference and Ours say what each did.
	Reference string `json:"reference"`
	Ours      string `json:"ours"`
	// Name is what a difference that is there on purpose is called (see Named).
	// It is empty for all others.
	Name string `json:"name,omitempty"`
}

// Compare finds the differences between what the reference and our daemon did in
// a transcript.
func Compare(t *Transcript, reference, ours *Result) []Difference {
	differences := compare(reference, ours)
	nameKnown(t, reference, ours, differences)
	if t.Better != "" && len(differences) == 0 {
		differences = []Difference{{What: "promise", Reference: "the same", Ours: "should be better: " + t.Better}}
	}
	return differences
}

// Unnamed tells whether one of the differences has no name.
func Unnamed(differences []Difference) bool {
	return slices.ContainsFunc(differences, func(d Difference) bool { return d.Name == "" })
}

func compare(a, b *Result) []Difference {
	var found []Difference
	add := func(step int, what, reference, ours string) {
		found = append(found, Difference{Step: step, What: what, Reference: reference, Ours: ours})
	}
	for i := range max(len(a.Outcomes), len(b.Outcomes)) {
		x, y := outcomeAt(a, i), outcomeAt(b, i)
		if !sameOutcome(x, y) {
			add(i+1, "answer", x.String(), y.String())
		}
	}
	if a.Log != nil && !slices.Equal(a.Log, b.Log) { // or nothing was recorded
		add(0, "log", strings.Join(a.Log, "\n"), strings.Join(b.Log, "\n"))
	}
	if a.Status != nil && !slices.Equal(a.Status, b.Status) { // older recordings have none
		add(0, "status", fmt.Sprint(a.Status), fmt.Sprint(b.Status))
	}
	if a.Left != b.Left {
		add(0, "descriptors left", fmt.Sprint(a.Left), fmt.Sprint(b.Left))
	}
	if a.Alive != b.Alive || a.Exit != b.Exit {
		add(0, "end", a.end(), b.end())
	}
	return found
}

func (r *Result) end() string {
	if r.Alive {
		return "alive"
	}
	return r.Exit
}

func outcomeAt(r *Result, i int) Outcome {
	if i < len(r.Outcomes) {
		return r.Outcomes[i]
	}
	return Outcome{Failed: "not recorded"}
}

func sameOutcome(a, b Outcome) bool {
	return a.Skipped == b.Skipped && a.Failed == b.Failed && sameAnswer(a.Answer, b.Answer) &&
		maps.EqualFunc(a.Others, b.Others, sameAnswer)
}

func sameAnswer(a, b Answer) bool {
	return string(a.Data) == string(b.Data) && a.End == b.End && sameTokens(a.Tokens, b.Tokens) &&
		slices.Equal(a.Changed, b.Changed)
}

// sameTokens lets a number that was not recorded stand for any other.
func sameTokens(a, b []int) bool {
	return slices.EqualFunc(a, b, func(x, y int) bool { return x == y || x == 0 || y == 0 })
}
