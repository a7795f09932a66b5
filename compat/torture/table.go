package torture

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// results are where outcomes go, in the order of the attacks, and then of the
// programs.
type results interface {
	add(program string, o *Outcome)
	flush()
}

// A table has a line an attack on a program.
type table struct{ w *tabwriter.Writer }

func newTable(out io.Writer) results {
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

// A markdown is a table with a line an attack: what the longest was that a good
// client waited, alone and under attack, of each program.
type markdown struct {
	out   io.Writer
	cells []string // of the line that is not complete
	width int
}

func newMarkdown(out io.Writer, programs []string) results {
	heads := []string{"attack"}
	for _, program := range programs {
		heads = append(heads, filepath.Base(program)+": alone", "under attack")
	}
	m := &markdown{out: out, width: len(heads)}
	m.line(heads)
	m.line(append([]string{"---"}, slices.Repeat([]string{"--:"}, len(heads)-1)...))
	return m
}

func (m *markdown) line(cells []string) { fmt.Fprintln(m.out, "| "+strings.Join(cells, " | ")+" |") }

func (m *markdown) add(_ string, o *Outcome) {
	if len(m.cells) == 0 {
		m.cells = append(m.cells, o.Attack)
	}
	alone, under := "", inMilliseconds(o.Under.Longest)
	switch {
	case !o.Survived:
		under = "**ended**"
	case o.attack.Ends || o.attack.Deprives:
		under = "survived"
	case o.Unanswered != nil:
		under = "**no answer**"
	default:
		alone = inMilliseconds(o.Beside.Longest)
	}
	if o.Survived && o.Unanswered == nil && !o.Passed() {
		under = "**" + under + "**"
	}
	if m.cells = append(m.cells, alone, under); len(m.cells) == m.width {
		m.line(m.cells)
		m.cells = nil
	}
}

func (m *markdown) flush() {
	if len(m.cells) > 0 {
		m.line(m.cells)
	}
}
