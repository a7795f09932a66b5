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
}

// ErrHurt means that a daemon came to harm.
var ErrHurt = errors.New("not all attacks were survived unharmed")

// oneLine makes one line of several errors and of a piece of log.
var oneLine = strings.NewReplacer("\n\t", " | ", "\n", "; ")

// Run carries out attacks and prints a table of what came of them. The error is
// [ErrHurt] when something did, or what kept it from attacking.
func Run(ctx context.Context, o RunOptions) error {
	attacks := slices.DeleteFunc(Attacks(), func(a Attack) bool { return !strings.Contains(a.Name, o.Only) })
	if len(attacks) == 0 {
		return fmt.Errorf("no attack has %q in its name", o.Only)
	}
	hurt := false
	for _, program := range o.Programs {
		fmt.Fprintf(o.Out, "%s:\n", program)
		table := newTable(o.Out)
		reasons, err := o.attack(ctx, program, attacks, table)
		o.progress("")
		table.flush()
		for _, reason := range reasons {
			fmt.Fprintln(o.Out, reason)
		}
		fmt.Fprintln(o.Out)
		if err != nil {
			return err
		}
		hurt = hurt || len(reasons) > 0
	}
	if hurt {
		return ErrHurt
	}
	return nil
}

func (o *RunOptions) progress(what string) {
	if o.Progress != nil {
		o.Progress(what)
	}
}

// attack fills the table for one program, and tells what else there is to say.
func (o *RunOptions) attack(ctx context.Context, program string, attacks []Attack, table *table) (reasons []string, err error) {
	for _, attack := range attacks {
		o.progress(filepath.Base(program) + ": " + attack.Name)
		outcome, err := Fairly(ctx, program, attack, !o.Short)
		if err != nil {
			return reasons, fmt.Errorf("%s: %w", attack.Name, err)
		}
		table.add(outcome)
		if why := outcome.Why(); why != "" {
			reasons = append(reasons, outcome.Attack+": "+oneLine.Replace(strings.TrimSpace(why)))
		}
	}
	return reasons, nil
}

// A table has a line an attack.
type table struct{ w *tabwriter.Writer }

func newTable(out io.Writer) *table {
	t := &table{tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)}
	fmt.Fprintln(t.w, "attack\tsurvived\tgood clients unaffected\tp99 alone\tunder attack\tdescriptors leaked\tmemory grown\t")
	return t
}

func (t *table) add(o *Outcome) {
	leaked, grown, unaffected, alone, under := "-", "-", "-", "-", "-"
	if !o.attack.Ends && !o.attack.Deprives {
		alone, under = inMilliseconds(o.Beside.P99), inMilliseconds(o.Under.P99)
		unaffected = yesNo(o.Unaffected())
		if o.Unanswered != nil {
			under = "no answer"
		}
	}
	if o.Survived && !o.attack.Ends {
		leaked, grown = fmt.Sprint(o.Leaked), fmt.Sprintf("%.1f MiB", float64(o.Grown)/(1<<20))
	}
	if !o.Passed() {
		o.Remarks = strings.TrimPrefix(o.Remarks+"; see below", "; ")
	}
	fmt.Fprintf(t.w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", o.Attack, yesNo(o.Survived), unaffected, alone, under, leaked, grown, o.Remarks)
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
