package torture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// RunOptions say what to attack, and with what.
type RunOptions struct {
	Programs []string // daemons to attack, one after the other
	Only     string   // attacks whose name contains this
	Short    bool     // as in the tests, a few seconds an attack
	Out      io.Writer
	// Progress, if not nil, is told what is going on; "" before anything is
	// printed.
	Progress func(what string)
	// Done, if not nil, is told what came of each attack.
	Done func(program string, o *Outcome)
}

// ErrHurt means that a daemon came to harm.
var ErrHurt = errors.New("not all attacks were survived unharmed")

// oneLine makes one line of several errors and of a piece of log.
var oneLine = strings.NewReplacer("\n\t", " | ", "\n", "; ")

// Run carries out attacks and prints a table of what came of them: a line for each
// of the programs. The error is [ErrHurt] when one of them came to harm, or what
// kept it from attacking.
func Run(ctx context.Context, o RunOptions) error {
	attacks := slices.DeleteFunc(Attacks(), func(a Attack) bool { return !strings.Contains(a.Name, o.Only) })
	if len(attacks) == 0 {
		return fmt.Errorf("no attack has %q in its name", o.Only)
	}
	table := newTable(o.Out)
	reasons, err := o.attack(ctx, attacks, table)
	o.progress("")
	table.flush()
	fmt.Fprintln(o.Out, "\nLongest is the longest that a good client waited, alone beside the attack and under it.")
	for _, reason := range reasons {
		fmt.Fprintln(o.Out, reason)
	}
	if err == nil && len(reasons) > 0 {
		err = ErrHurt
	}
	return err
}

func (o *RunOptions) progress(what string) {
	if o.Progress != nil {
		o.Progress(what)
	}
}

// attack fills the table, and tells what else there is to say.
func (o *RunOptions) attack(ctx context.Context, attacks []Attack, table *table) (reasons []string, err error) {
	for _, attack := range attacks {
		for _, program := range o.Programs {
			name := filepath.Base(program)
			o.progress(name + ": " + attack.Name)
			outcome, err := Fairly(ctx, program, attack, !o.Short)
			if err != nil {
				return reasons, fmt.Errorf("%s: %s: %w", name, attack.Name, err)
			}
			table.add(name, outcome)
			if o.Done != nil {
				o.Done(program, outcome)
			}
			if why := outcome.Why(); why != "" {
				reasons = append(reasons, name+": "+outcome.Attack+": "+oneLine.Replace(strings.TrimSpace(why)))
			}
		}
	}
	return reasons, nil
}

// A table has a line an attack on a program.
type table struct{ w *tabwriter.Writer }

func newTable(out io.Writer) *table {
	t := &table{tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)}
	fmt.Fprintln(t.w, "attack\tdaemon\tsurvived\tothers unaffected\tlongest alone\tunder attack\tp99 alone\tunder attack\tleaked\tmemory grown\t")
	return t
}

func (t *table) add(program string, o *Outcome) {
	cells := []string{o.Attack, program, yesNo(o.Survived), "-", "-", "-", "-", "-", "-", "-", o.Remarks}
	if !o.attack.Ends && !o.attack.Deprives {
		cells[3] = yesNo(o.Unaffected())
		for i, d := range []time.Duration{o.Beside.Longest, o.Under.Longest, o.Beside.P99, o.Under.P99} {
			cells[4+i] = inMilliseconds(d)
		}
		if o.Unanswered != nil {
			cells[5], cells[7] = "no answer", "no answer"
		}
	}
	if o.Survived && !o.attack.Ends {
		cells[8], cells[9] = fmt.Sprint(o.Leaked), fmt.Sprintf("%.1f MiB", float64(o.Grown)/(1<<20))
	}
	if !o.Passed() {
		cells[10] = strings.TrimPrefix(o.Remarks+"; see below", "; ")
	}
	fmt.Fprintln(t.w, strings.Join(cells, "\t"))
}

func (t *table) flush() { t.w.Flush() }

func inMilliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "NO"
}
