package operator

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"scache/scached/control"
)

// WriteStatus writes a screen. The path is that of the socket.
func WriteStatus(w io.Writer, s *control.Status, path string, now time.Time) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "scached %s, dialect of Postfix %s, process %d on %s\n", s.Version, s.Dialect, s.PID, path)
	fmt.Fprintf(&b, "since %s (%s)\n\n", s.Start.Format(time.DateTime), now.Sub(s.Start).Round(time.Second))

	fmt.Fprintf(&b, "holds       %s sessions of %s endpoints, %s bindings of %s destinations; %s clients\n",
		held(s, "sessions"), held(s, "endpoints"), held(s, "bindings"), held(s, "destinations"), held(s, "clients"))
	fmt.Fprintf(&b, "lookups     by destination %s\n", lookups(s, "destination"))
	fmt.Fprintf(&b, "            by endpoint    %s\n", lookups(s, "endpoint"))
	fmt.Fprintf(&b, "saves       %s sessions, %s bindings and %s once more\n", Number(s.Sum("saves_total", "kind", "session")),
		Number(s.Sum("saves_total", "kind", "binding")), Number(s.Sum("saves_total", "kind", "refresh")))
	fmt.Fprintf(&b, "ends        %s handed over; closed: %s\n", Number(s.Sum("handovers_total", "result", "done")),
		counts(s.Values("sessions_closed_total", "reason")))
	if quits := s.Values("quits_total", "result"); counts(quits) != "none" || s.Sum("lingering") > 0 {
		fmt.Fprintf(&b, "quits       %s; %s wait for the answer\n", counts(quits), held(s, "lingering"))
	}
	fmt.Fprintf(&b, "clients     %s so far; disconnected: %s\n", Number(s.Sum("clients_total")), counts(s.Values("clients_dropped_total", "reason")))
	if given := s.Values("given_up_total", "limit"); counts(given) != "none" {
		fmt.Fprintf(&b, "given up    for a limit: %s\n", counts(given))
	}
	b.WriteString("\n")
	for _, line := range limits(s).Lines(0) {
		b.WriteString(line + "\n")
	}
	_, err := w.Write(b.Bytes())
	return err
}

func held(s *control.Status, name string) string { return Number(s.Sum(name)) }

func lookups(s *control.Status, kind string) string {
	hits := s.Sum("lookups_total", "kind", kind, "result", "hit")
	misses := s.Sum("lookups_total", "kind", kind, "result", "miss")
	text := fmt.Sprintf("%s hits, %s misses, %s", Number(hits), Number(misses), percent(hits, hits+misses))
	reasons := map[string]uint64{}
	for _, m := range s.Metrics {
		if m.Name == "lookup_misses_total" && m.Labels["kind"] == kind {
			reasons[m.Labels["reason"]] = m.Value
		}
	}
	if misses > 0 {
		text += "; missed: " + counts(reasons)
	}
	return text
}

// counts are those that are not 0, the highest first.
func counts(values map[string]uint64) string {
	names := slices.SortedFunc(maps.Keys(values), func(a, b string) int {
		if values[a] != values[b] {
			return int(int64(values[b]) - int64(values[a]))
		}
		return strings.Compare(a, b)
	})
	var parts []string
	for _, name := range names {
		if values[name] > 0 {
			parts = append(parts, Number(values[name])+" "+strings.ReplaceAll(name, "_", " "))
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// limitOf says what a limit is about, for those that can be held against a number.
var limitOf = map[string]string{
	"scached_session_limit": "sessions", "scached_binding_limit": "bindings", "scached_client_limit": "clients",
	"scached_memory_limit": "memory_bytes", "descriptors": "descriptors",
}

func limits(s *control.Status) *Table {
	t := &Table{Header: []string{"LIMIT", "NOW", "OF", ""}, Right: map[int]bool{1: true, 2: true, 3: true}}
	all := s.Values("limit", "name")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		now, share := "", ""
		if about := limitOf[name]; about != "" {
			n := s.Sum(about)
			now, share = Number(n), percent(n, all[name])
		}
		t.Rows = append(t.Rows, []string{name, now, Number(all[name]), share})
	}
	return t
}

// StatusObject is a status as it goes into JSON. Metrics have their labels in the
// name, in the text format of Prometheus.
type StatusObject struct {
	Version string            `json:"version"`
	Dialect string            `json:"dialect"`
	PID     int               `json:"pid"`
	Start   time.Time         `json:"start"`
	Metrics map[string]uint64 `json:"metrics"`
}

// NewStatusObject makes a status fit for JSON.
func NewStatusObject(s *control.Status) StatusObject {
	o := StatusObject{Version: s.Version, Dialect: s.Dialect, PID: s.PID, Start: s.Start, Metrics: map[string]uint64{}}
	for _, m := range s.Metrics {
		o.Metrics[m.String()] = m.Value
	}
	return o
}
