package torture

import (
	"io"
	"slices"
	"strings"
	"testing"

	"scache/compat/testbed"
)

// atOnce is how many attacks are carried out at a time. Most of the time they
// wait for something to expire.
const atOnce = 12

// A trial is an attack on one of the daemons, under way or done.
type trial struct {
	attack  Attack
	outcome *Outcome
	err     error
	done    chan struct{}
}

// startTrials starts a trial of each attack, as many at a time as there are
// places. What all daemons have in flight counts against a limit of their
// user's, which is that of the process with the lowest. So those with a low one
// wait for finish, and are then alone.
func startTrials(t *testing.T, program string, attacks []Attack, places chan struct{}) (trials []*trial, finish func()) {
	one := make(chan struct{}, 1)
	one <- struct{}{}
	for _, attack := range attacks {
		r := &trial{attack: attack, done: make(chan struct{})}
		trials = append(trials, r)
		place := places
		if r.alone() {
			place = one
		}
		go func() {
			place <- struct{}{}
			defer func() { <-place; close(r.done) }()
			r.outcome, r.err = Against(t.Context(), program, attack, false)
		}()
	}
	return trials, func() {
		for _, r := range trials {
			if !r.alone() {
				<-r.done
			}
		}
		<-one
	}
}

func (r *trial) alone() bool { return r.attack.Alone || r.attack.Options.NoFile > 0 }

// wait returns what came of the trial.
func (r *trial) wait(t *testing.T) *Outcome {
	t.Helper()
	<-r.done
	if r.err != nil {
		t.Fatal(r.err)
	}
	return r.outcome
}

// Our daemon is none the worse for any of the attacks, in their short form; of
// those that are known to hurt the reference each does.
func TestAttacks(t *testing.T) {
	scached, scache := ours(t), reference(t)
	places := make(chan struct{}, atOnce)
	mine, finishMine := startTrials(t, scached, Attacks(), places)
	var harmful []Attack
	for _, attack := range Attacks() {
		if attack.Hurts {
			harmful = append(harmful, attack)
		}
	}
	theirs, finishTheirs := startTrials(t, scache, harmful, places)
	finishTheirs()
	for _, r := range theirs {
		<-r.done
	}
	finishMine()
	for _, r := range mine {
		var other *trial
		if r.attack.Hurts {
			other, theirs = theirs[0], theirs[1:]
		}
		r.judge(t, other)
	}
}

// With a hundred hostile clients of every kind a good client is served within
// twice the time that it takes alone.
func TestEveryKindAtOnce(t *testing.T) {
	attacks := clientAttacks()
	attack := attacks[slices.IndexFunc(attacks, func(a Attack) bool { return a.Name == allAtOnce })]
	o, err := Fairly(t.Context(), ours(t), attack, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(o)
	if why := o.Why(); why != "" {
		t.Error(why)
	}
}

// What becomes of an attack does not depend on which thread is first.
func TestRaces(t *testing.T) {
	testbed.NeedRoot(t)
	attacks := Attacks()
	attacks = attacks[:len(attacks)-len(privilegeAttacks())]
	attacks = slices.DeleteFunc(attacks, func(a Attack) bool { return a.Alone || a.Confined }) // they are about time, or memory
	trials, finish := startTrials(t, testbed.RaceDetector(t), attacks, make(chan struct{}, atOnce))
	finish()
	for _, r := range trials {
		t.Run(r.attack.Name, func(t *testing.T) {
			if o := r.wait(t); !o.Survived || o.Unanswered != nil || o.Leaked > 0 || o.Failure != nil {
				t.Error(o.Why())
			}
		})
	}
}

// judge reports a trial of ours beside that of the reference, if there is one.
func (r *trial) judge(t *testing.T, other *trial) {
	t.Run(r.attack.Name, func(t *testing.T) {
		o := r.wait(t)
		if why := o.Why(); why != "" {
			t.Errorf("ours: %s", why)
		}
		t.Logf("ours: %s", o)
		if other == nil {
			return
		}
		o = other.wait(t)
		t.Logf("the reference: %s", o)
		if o.Passed() {
			t.Error("the attack does not hurt the reference: it proves nothing")
		}
	})
}

func TestAttackNames(t *testing.T) {
	seen := make(map[string]bool)
	for _, attack := range Attacks() {
		if seen[attack.Name] {
			t.Errorf("two attacks are called %q", attack.Name)
		}
		seen[attack.Name] = true
	}
}

func TestRunNothing(t *testing.T) {
	err := Run(t.Context(), RunOptions{Programs: []string{"/no/such/program"}, Only: "no such attack", Short: true, Out: io.Discard})
	if err == nil || err.Error() != `no attack has "no such attack" in its name` {
		t.Errorf("got %v", err)
	}
}

func TestRun(t *testing.T) {
	var out strings.Builder
	showing := ""
	progress := func(what string) {
		if showing = what; what == "" && strings.Contains(out.String(), "attack") {
			t.Error("the progress goes away after the table")
		}
	}
	err := Run(t.Context(), RunOptions{Programs: []string{ours(t)}, Only: "privileges", Short: true, Out: &out, Progress: progress})
	if showing != "" {
		t.Errorf("the progress still shows %q", showing)
	}
	if err != nil {
		t.Errorf("%v:\n%s", err, &out)
	}
	if lines := strings.Split(strings.TrimSpace(out.String()), "\n"); len(lines) < 2 ||
		!strings.HasPrefix(lines[0], "attack") || !strings.HasPrefix(lines[1], "privileges that are left  scached  yes") {
		t.Errorf("table:\n%s", &out)
	}
}
