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
	fmt.Fprintf(w, "median (lowest..highest) of %d rounds; ratios are of the two daemons in the same round\n", r.Rounds)
	t := &table{w: tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	for _, c := range r.Load {
		t.section("%v", c.load)
		for _, metric := range c.metrics() {
			t.metric(metric)
		}
	}
	if r.Expiry != nil || r.Startup != nil || r.Size != nil || r.Mail != nil {
		t.section("other things")
		for _, metric := range []*Metric{r.Expiry, r.Startup, r.Size, r.Mail} {
			t.metric(metric)
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
	fmt.Fprintf(t.w, "\n%s\tours\treference\tours/reference\n", fmt.Sprintf(format, args...))
}

func (t *table) metric(m *Metric) {
	if m == nil || len(m.Ours) == 0 {
		return
	}
	fmt.Fprintf(t.w, "  %s\t%s\t%s\t%s\n", m.Name, quantity(m.Ours, m.Unit), quantity(m.Reference, m.Unit), ratio(m.Ratio()))
}

func (t *table) goals(goals []Goal) {
	fmt.Fprintf(t.w, "\ngoals\tmeasured\tgoal\t\n")
	for _, g := range goals {
		sign, verdict := "≤", "met"
		if g.AtLeast {
			sign = "≥"
		}
		if !g.Met() {
			verdict = "MISSED"
		}
		fmt.Fprintf(t.w, "  %s\t%s\t%s %s\t%s\n", g.Name, number(g.Measured), sign, number(g.Limit), verdict)
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
	case x >= 100:
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
