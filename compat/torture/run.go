package torture

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
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
	// Progress, if not nil, is told what is going on.
	Progress func(what string)
}

// ErrHurt means that a daemon came to harm.
var ErrHurt = errors.New("not all attacks were survived unharmed")

// Run carries out attacks and prints a table of what came of them. The error is
// [ErrHurt] when something did, or what kept it from attacking.
func Run(ctx context.Context, o RunOptions) error {
	hurt := false
	for _, program := range o.Programs {
		fmt.Fprintf(o.Out, "%s:\n", program)
		table := newTable(o.Out)
		var reasons []string
		for _, attack := range Attacks() {
			if !strings.Contains(attack.Name, o.Only) {
				continue
			}
			if o.Progress != nil {
				o.Progress(filepath.Base(program) + ": " + attack.Name)
			}
			outcome, err := Against(ctx, program, attack, !o.Short)
			if err != nil {
				table.flush()
				return fmt.Errorf("%s: %w", attack.Name, err)
			}
			table.add(outcome)
			if !outcome.Passed() {
				hurt = true
				reasons = append(reasons, outcome.Attack+": "+outcome.Why())
			}
		}
		table.flush()
		for _, reason := range reasons {
			fmt.Fprintln(o.Out, reason)
		}
		fmt.Fprintln(o.Out)
	}
	if hurt {
		return ErrHurt
	}
	return nil
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

// Why is what is wrong with an outcome that did not pass.
func (o *Outcome) Why() string {
	var why []string
	if !o.Survived {
		why = append(why, "the daemon did not survive")
	}
	if o.Unanswered != nil {
		why = append(why, "a good client got no service: "+o.Unanswered.Error())
	} else if !o.Unaffected() {
		why = append(why, fmt.Sprintf("good clients: p50 %v, alone %v; p99 %v, alone %v; %d of %d sessions given up",
			o.Under.Median, o.Beside.Median, o.Under.P99, o.Beside.P99, o.Missed, o.Cycles))
	}
	if o.Leaked > 0 {
		why = append(why, fmt.Sprintf("%d descriptors leaked", o.Leaked))
	}
	if growth := cmp.Or(o.attack.Growth, defaultGrowth); o.Grown > growth {
		why = append(why, fmt.Sprintf("memory has grown by %d MiB, more than %d", o.Grown>>20, growth>>20))
	}
	if o.Failure != nil {
		why = append(why, o.Failure.Error())
	}
	return strings.Join(why, "; ")
}

// String is an outcome in one line.
func (o *Outcome) String() string {
	text := "survived " + yesNo(o.Survived)
	if !o.attack.Ends && !o.attack.Deprives && o.Unanswered == nil {
		text += fmt.Sprintf(", good clients p99 %s alone, %s under attack", inMilliseconds(o.Beside.P99), inMilliseconds(o.Under.P99))
	}
	if o.Survived && !o.attack.Ends {
		text += fmt.Sprintf(", %d descriptors leaked, memory grown by %.1f MiB", o.Leaked, float64(o.Grown)/(1<<20))
	}
	if o.Remarks != "" {
		text += ", " + o.Remarks
	}
	if why := o.Why(); why != "" {
		text += ": " + why
	}
	return text
}
