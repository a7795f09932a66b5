package torture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// RunOptions say what to attack, and with what.
type RunOptions struct {
	Programs []string // daemons to attack, one after the other
	Only     string   // attacks whose name contains this
	Short    bool     // as in the tests, a few seconds an attack
	Markdown bool     // a table for the README: a line an attack
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
	if o.Markdown {
		table = newMarkdown(o.Out, o.Programs)
	}
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
func (o *RunOptions) attack(ctx context.Context, attacks []Attack, table results) (reasons []string, err error) {
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
