package bench

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// WriteMarkdown writes the tables of the README: what a cycle costs with each
// load, the worst ratio first, and everything else. Of two figures in a cell the
// first one is ours.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	r.loadTable(&b)
	b.WriteString("\n")
	r.otherTable(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) loadTable(b *strings.Builder) {
	cases := slices.Clone(r.Load)
	slices.SortStableFunc(cases, func(a, b *Case) int {
		return cmp.Compare(b.CPU.Ratio().Median(), a.CPU.Ratio().Median())
	})
	row(b, "load", "CPU a cycle, µs: scached", "scache(8)", "ratio (lowest to highest round)",
		"context switches a cycle", "cycles a second", "p50 of a request, µs", "p99, µs")
	row(b, "---", "---", "---", "---", "---", "---", "---", "---")
	for _, c := range cases {
		row(b, c.load.String(), number(c.CPU.Ours.Median()), number(c.CPU.Reference.Median()), ratio(c.CPU.Ratio()),
			both(c.Switches), both(c.Rate), both(c.P50), both(c.P99))
	}
}

func (r *Report) otherTable(b *strings.Builder) {
	row(b, "", "scached", "scache(8)", "ratio (lowest to highest)")
	row(b, "---", "---", "---", "---")
	add := func(of string, metrics ...*Metric) {
		for _, m := range metrics {
			if m == nil || len(m.Ours) == 0 {
				continue
			}
			name := m.Name
			if of != "" {
				name += ", " + of
			}
			row(b, name, median(m.Ours, m.Unit), median(m.Reference, m.Unit), ratio(m.Ratio()))
		}
	}
	if q := r.Quiet; q != nil {
		add(q.String(), q.metrics()...)
	}
	for _, m := range []*Mail{r.Paced, r.Mail} {
		if m != nil {
			add(m.String(), m.metrics()...)
		}
	}
	for i, c := range r.Load {
		if c.Pause == 0 && c.Sessions == r.Load[0].Sessions {
			add(c.load.String(), c.Calls)
		}
		if i == len(r.Load)-1 || r.Load[i+1].Sessions != c.Sessions {
			add(c.load.String(), c.Memory)
		}
	}
	if none, many := r.find(load{0, 1, 0}), r.find(load{18000, 1, 0}); none != nil && many != nil {
		row(b, "CPU a cycle, 18000 sessions cached, to the same daemon's with none",
			ratio(many.CPU.Ours.over(none.CPU.Ours)), ratio(many.CPU.Reference.over(none.CPU.Reference)), "")
	}
	add("", r.Expiry)
	if r.Startup != nil {
		add("", r.Startup.metrics()...)
	}
	add("", r.Size)
}

func row(b *strings.Builder, cells ...string) {
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}

// both are the medians of both daemons, ours first.
func both(m *Metric) string {
	if len(m.Reference) == 0 {
		return number(m.Ours.Median())
	}
	return number(m.Ours.Median()) + ", " + number(m.Reference.Median())
}

func median(s Series, unit string) string {
	if len(s) == 0 {
		return "-"
	}
	return strings.TrimSpace(number(s.Median()) + " " + unit)
}
