package simulate

import (
	"fmt"
	"io"
)

// A Failure is what a server has done that it must not.
type Failure struct {
	Seed    uint64
	What    string
	Without []int // numbers of clients that it does not take
	Turn    int
	Plan    string
}

func (f *Failure) Error() string {
	return fmt.Sprintf("seed %d, turn %d: %s", f.Seed, f.Turn, f.What)
}

// Run lives through the world of a seed, without some of its clients. What happens
// is written to trace, if that is not nil. It returns nil when there is nothing to
// complain about.
func Run(seed uint64, without []int, trace io.Writer) (failure *Failure) {
	p := newPlan(seed, without)
	if trace != nil {
		fmt.Fprint(trace, p)
	}
	w := newWorld(p, trace)
	defer func() {
		reason := recover()
		w.stop()
		if reason == nil {
			return
		}
		v, ok := reason.(violation)
		if !ok {
			v.text = fmt.Sprintf("panic: %v", reason)
			if trace != nil {
				panic(reason)
			}
		}
		failure = &Failure{Seed: seed, What: v.text, Without: without, Turn: w.turn.number, Plan: p.String()}
		if trace != nil {
			w.say("FAILED: %s", v.text)
		}
	}()
	w.live()
	return nil
}
