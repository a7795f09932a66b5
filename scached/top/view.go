package top

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"scache/scached/operator"
)

var (
	heading = lipgloss.NewStyle().Bold(true)
	warning = lipgloss.NewStyle().Reverse(true)
)

// mostTransports is how many transports are shown.
const mostTransports = 6

// View is the screen as text, with what makes some of it bold or reversed. It has
// no more lines than the terminal; those that are too long are for the terminal's
// library to cut.
func (s *Screen) View() string {
	lines := append(s.top(), "")
	lines = append(lines, s.history()...)
	lines = append(lines, "")
	lines = append(lines, s.table(s.transports(), mostTransports+1)...)
	lines = append(lines, "")
	room := 0
	if s.Height > 0 {
		room = max(2, s.Height-len(lines)-2)
	}
	lines = append(lines, s.table(s.destinations(), room)...)
	if s.Height > 2 {
		lines = lines[:min(len(lines), s.Height-2)]
		lines = append(lines, make([]string, s.Height-2-len(lines))...)
	}
	return strings.Join(append(lines, "", s.keys()), "\n")
}

// top says which daemon this is, how it is, and what it holds.
func (s *Screen) top() []string {
	status := s.last.Status
	if status == nil {
		return []string{"no answer yet from " + s.Path}
	}
	held := func(name string) string { return operator.Number(status.Sum(name)) }
	lines := []string{
		heading.Render(fmt.Sprintf("scached %s, process %d, up %s", operator.Escaped(status.Version), status.PID,
			s.last.At.Sub(status.Start).Truncate(time.Second))) + " on " + s.Path,
		fmt.Sprintf("%s sessions of %s endpoints, %s bindings of %s destinations, %s clients, %s KB",
			held("sessions"), held("endpoints"), held("bindings"), held("destinations"), held("clients"),
			operator.Number(status.Sum("memory_bytes")/1000)),
	}
	if age := s.last.At.Sub(s.last.Listed); !s.last.Listed.IsZero() && age >= time.Second {
		lines[1] += fmt.Sprintf("; listed %s ago", age.Truncate(time.Second))
	}
	switch {
	case s.gone != nil:
		lines = append(lines, warning.Render(fmt.Sprintf("no answer since %s: %s", s.goneAt.Format(time.TimeOnly), operator.Escaped(strings.TrimPrefix(s.gone.Error(), s.Path+": ")))))
	case s.notice != "":
		lines = append(lines, warning.Render(s.notice))
	}
	return lines
}

// history is the rates, each with a line of what it was.
func (s *Screen) history() []string {
	lines := []string{heading.Render(fmt.Sprintf("%-9s %9s %9s  %s", "RATE", "NOW/S", "PEAK/S", "BEFORE"))}
	for i, of := range rateOf {
		r := &s.rates[i]
		peak := unknown
		room := max(10, s.Width-31)
		shown := r.history[max(0, len(r.history)-room):]
		if len(shown) > 0 {
			peak = slices.Max(shown)
		}
		lines = append(lines, strings.TrimRight(fmt.Sprintf("%-9s %9s %9s  %s", of.name, figure(r.now), figure(peak), sparkline(shown, peak)), " "))
	}
	return lines
}

// sparkline draws numbers as bars, as high as they are of the peak; there is no
// bar where a number is unknown.
func sparkline(numbers []float64, peak float64) string {
	bars := []rune("▁▂▃▄▅▆▇█")
	var b strings.Builder
	for _, n := range numbers {
		switch {
		case n < 0:
			b.WriteByte(' ')
		case n == 0:
			b.WriteRune(bars[0])
		default:
			b.WriteRune(bars[int(n/peak*float64(len(bars)-1))])
		}
	}
	return b.String()
}

func figure(n float64) string {
	if n < 0 {
		return "-"
	}
	return strconv.FormatFloat(n, 'f', 1, 64)
}

func (s *Screen) transports() *operator.Table {
	t := &operator.Table{Header: []string{"TRANSPORT", "SESSIONS", "HITS/S", "MISSES/S", "SAVES/S"}, Right: map[int]bool{1: true, 2: true, 3: true, 4: true}}
	for _, name := range slices.Sorted(maps.Keys(s.through)) {
		of := s.through[name]
		t.Rows = append(t.Rows, []string{operator.Escaped(name), operator.Number(s.last.Status.Sum("transport_sessions", "transport", name)),
			figure(of.hits), figure(of.misses), figure(of.saves)})
	}
	return t
}

func (s *Screen) destinations() *operator.Table {
	t := &operator.Table{Header: []string{"DESTINATION", "TRANSPORT", "SESSIONS", "ENDPOINTS", "DEAD", "USES", "LEFT"},
		Right: map[int]bool{2: true, 3: true, 4: true, 5: true, 6: true}}
	for _, r := range s.rows() {
		t.Rows = append(t.Rows, []string{r.destination, r.transport, strconv.Itoa(r.sessions), strconv.Itoa(len(r.endpoints)),
			strconv.Itoa(r.dead), strconv.Itoa(r.uses), strconv.Itoa(r.left) + "s"})
	}
	return t
}

// table is the lines of a table, at most room of them; 0 is for any. The last
// tells how many are missing.
func (s *Screen) table(t *operator.Table, room int) []string {
	if over := len(t.Rows) + 1 - room; room > 0 && over > 0 {
		t.Rows = append(t.Rows[:room-2:room-2], append([]string{fmt.Sprintf("... %d more", over+1)}, make([]string, len(t.Header)-1)...))
	}
	lines := t.Lines(s.Width)
	lines[0] = heading.Render(lines[0])
	return lines
}

// keys says what is chosen, and which keys choose.
func (s *Screen) keys() string {
	if s.typing {
		return "filter: " + operator.Escaped(s.filter) + "_  (enter: done, esc: none)"
	}
	order := orders[s.order].name
	if s.reversed {
		order += ", reversed"
	}
	text := "s sort (" + order + ")  r reverse  / filter"
	if s.filter != "" {
		text += " (" + operator.Escaped(s.filter) + ", esc: none)"
	}
	if s.paused {
		return text + "  p go on  q quit  " + warning.Render("paused")
	}
	return text + "  p pause  q quit"
}
