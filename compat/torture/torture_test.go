package torture

import (
	"strings"
	"testing"
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

func startTrial(t *testing.T, program string, attack Attack, places chan struct{}) *trial {
	r := &trial{attack: attack, done: make(chan struct{})}
	go func() {
		places <- struct{}{}
		defer func() { <-places; close(r.done) }()
		r.outcome, r.err = Against(t.Context(), program, attack, false)
	}()
	return r
}

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
	scached := ours(t)
	scache := reference(t)
	places := make(chan struct{}, atOnce)
	var mine, alone []*trial
	theirs := make(map[string]*trial)
	// What all daemons have in flight counts against a limit of their user's,
	// which is that of the process with the lowest. So those with a low one have
	// to be alone.
	one := make(chan struct{}, 1)
	one <- struct{}{}
	for _, attack := range Attacks() {
		if attack.Options.NoFile > 0 {
			alone = append(alone, startTrial(t, scached, attack, one))
		} else {
			mine = append(mine, startTrial(t, scached, attack, places))
		}
		if attack.Hurts {
			theirs[attack.Name] = startTrial(t, scache, attack, places)
		}
	}
	for _, trial := range mine {
		trial.judge(t, theirs[trial.attack.Name])
	}
	for _, trial := range theirs {
		<-trial.done
	}
	<-one
	for _, trial := range alone {
		trial.judge(t, theirs[trial.attack.Name])
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

func TestRun(t *testing.T) {
	var out strings.Builder
	err := Run(t.Context(), RunOptions{Programs: []string{ours(t)}, Only: "privileges", Short: true, Out: &out})
	if err != nil {
		t.Errorf("%v:\n%s", err, &out)
	}
	if lines := strings.Split(strings.TrimSpace(out.String()), "\n"); len(lines) != 3 ||
		!strings.HasPrefix(lines[1], "attack") || !strings.HasPrefix(lines[2], "privileges that are left  yes") {
		t.Errorf("table:\n%s", &out)
	}
}
