package bench

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	m := r.Machine
	fmt.Fprintf(w, "%s, %d processors, Linux %s, load average %.2f at the start\n", m.Processor, m.Processors, m.Kernel, m.Load)
	fmt.Fprintln(w, "median (lowest..highest) of the rounds; a ratio is ours to the reference's in the same round")
	t := &table{w: tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	for _, c := range r.Load {
		t.section("%v, %s", c.load, count(len(c.CPU.Ours), "round"))
		t.metrics(c.metrics()...)
	}
	if q := r.Quiet; q != nil {
		t.section("%v", q)
		t.metrics(q.metrics()...)
	}
	for _, m := range []*Mail{r.Mail, r.Paced} {
		if m != nil {
			t.section("%v", m)
			t.metrics(m.metrics()...)
		}
	}
	if r.Expiry != nil || r.Startup != nil {
		t.section("other things")
		t.metrics(r.Expiry)
		if s := r.Startup; s != nil {
			t.metrics(append(s.metrics(), r.Size)...)
		}
	}
	if len(r.Goals) > 0 {
		t.goals(r.Goals)
	}
	t.w.Flush()
	for _, note := range r.Notes {
		fmt.Fprintf(w, "\nnote: %s\n", note)
	}
	return nil
}

// A table prints metrics.
type table struct{ w *tabwriter.Writer }

func (t *table) section(format string, args ...any) {
	fmt.Fprintf(t.w, "\n%s\tours\treference\tratio\n", fmt.Sprintf(format, args...))
}

// metrics prints those that were measured.
func (t *table) metrics(metrics ...*Metric) {
	for _, m := range metrics {
		if m != nil && len(m.Ours) > 0 {
			fmt.Fprintf(t.w, "  %s\t%s\t%s\t%s\n", m.Name, quantity(m.Ours, m.Unit), quantity(m.Reference, m.Unit), ratio(m.Ratio()))
		}
	}
}

func (t *table) goals(goals []Goal) {
	fmt.Fprintf(t.w, "\ngoals, of the ratio if nothing else is said\tmeasured\tgoal\t\n")
	for _, g := range goals {
		sign, verdict := "≤", "met"
		if g.AtLeast {
			sign = "≥"
		}
		if !g.Met() {
			verdict = "NOT MET"
		}
		fmt.Fprintf(t.w, "  %s\t%s\t%s %s\t%s\n", g.Name, quantity(g.Measured, ""), sign, number(g.Limit), verdict)
	}
}

func quantity(s Series, unit string) string {
	if len(s) == 0 {
		return "-"
	}
	text := strings.TrimSpace(number(s.Median()) + " " + unit)
	if len(s) == 1 {
		return text
	}
	return text + " (" + number(s.Min()) + ".." + number(s.Max()) + ")"
}

func ratio(s Series) string {
	switch len(s) {
	case 0:
		return "-"
	case 1:
		return fmt.Sprintf("%.2f", s[0])
	}
	return fmt.Sprintf("%.2f (%.2f..%.2f)", s.Median(), s.Min(), s.Max())
}

// number writes three digits or more.
func number(x float64) string {
	switch {
	case x >= 99.95:
		return fmt.Sprintf("%.0f", x)
	case x >= 10:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.2f", x)
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprint(n, " ", what)
}
