package top

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"scache/scached/control"
	"scache/scached/operator"
)

// A Sample is what a connection cache told at one time, or why it did not.
type Sample struct {
	At       time.Time
	Status   *control.Status
	Sessions []operator.Session
	Listed   time.Time // when the sessions were asked for, which may be a while ago
	Err      error
}

// A Screen is what is shown. Its public fields may be changed at any time.
type Screen struct {
	Path          string        // of the socket
	Interval      time.Duration // between samples
	Width, Height int           // of the terminal; 0 for any

	last     Sample // the last one without an error
	gone     error  // of the last sample
	goneAt   time.Time
	notice   string // what became of the daemon
	rates    [len(rateOf)]rate
	through  map[string]through // by transport
	order    int                // in orders
	reversed bool
	filter   string
	typing   bool // the filter
	paused   bool
}

// rateOf are the rates that are shown, and the counters they are of.
var rateOf = [...]struct {
	name, counter string
	labels        []string
}{
	{"hits", "lookups_total", []string{"result", "hit"}},
	{"misses", "lookups_total", []string{"result", "miss"}},
	{"saves", "saves_total", []string{"kind", "session"}},
	{"expiries", "sessions_closed_total", []string{"reason", "expired"}},
	{"dead", "sessions_closed_total", []string{"reason", "dead"}},
}

// A rate is something a second, now and before.
type rate struct {
	now     float64   // unknown where there is nothing to compare with
	history []float64 // the oldest first
}

const unknown = -1.0

// longest is how many samples of history are kept.
const longest = 500

func (r *rate) add(value float64) {
	r.now = value
	r.history = append(r.history, value)
	r.history = r.history[max(0, len(r.history)-longest):]
}

// A through is what went through a transport, a second.
type through struct{ hits, misses, saves float64 }

// Add shows a sample, unless the screen stands still.
func (s *Screen) Add(next Sample) {
	if s.paused {
		return
	}
	if next.Err != nil {
		if s.gone == nil {
			s.goneAt = next.At
		}
		s.gone, s.through = next.Err, nil
		for i := range s.rates {
			s.rates[i].add(unknown)
		}
		return
	}
	last, now := s.last.Status, next.Status
	seconds := next.At.Sub(s.last.At).Seconds()
	compare := last != nil && seconds > 0
	switch {
	case last != nil && (last.PID != now.PID || !last.Start.Equal(now.Start)):
		compare = false
		s.notice = fmt.Sprintf("%s restarted: process %d, after process %d", next.At.Format(time.TimeOnly), now.PID, last.PID)
	case s.gone != nil:
		s.notice = fmt.Sprintf("%s it answers again", next.At.Format(time.TimeOnly))
	}
	perSecond := func(counter string, labels ...string) float64 {
		if !compare {
			return unknown
		}
		return max(0, float64(now.Sum(counter, labels...))-float64(last.Sum(counter, labels...))) / seconds
	}
	for i, of := range rateOf {
		s.rates[i].add(perSecond(of.counter, of.labels...))
	}
	s.through = map[string]through{}
	for name := range now.Values("transport_sessions", "transport") {
		if now.Sum("transport_lookups_total", "transport", name)+now.Sum("transport_saves_total", "transport", name) == 0 {
			continue // such as the one that is for what has no room of its own
		}
		s.through[name] = through{
			hits:   perSecond("transport_lookups_total", "transport", name, "result", "hit"),
			misses: perSecond("transport_lookups_total", "transport", name, "result", "miss"),
			saves:  perSecond("transport_saves_total", "transport", name),
		}
	}
	s.last, s.gone = next, nil
}

// Paused says whether the screen stands still, so that no sample is needed.
func (s *Screen) Paused() bool { return s.paused }

// Key takes a key, by its name and by the text that it stands for. It reports
// whether that is all.
func (s *Screen) Key(name, text string) (quit bool) {
	switch {
	case name == "ctrl+c":
		return true
	case s.typing:
		s.typed(name, text)
		return false
	}
	switch name {
	case "q":
		return true
	case "p", "space":
		s.paused = !s.paused
	case "s":
		s.order = (s.order + 1) % len(orders)
	case "r":
		s.reversed = !s.reversed
	case "/":
		s.typing = true
	case "esc":
		s.filter = ""
	}
	return false
}

// typed takes a key into the filter.
func (s *Screen) typed(name, text string) {
	switch name {
	case "enter":
		s.typing = false
	case "esc":
		s.typing, s.filter = false, ""
	case "backspace":
		runes := []rune(s.filter)
		s.filter = string(runes[:max(0, len(runes)-1)])
	default:
		s.filter += text
	}
}

// A row is the sessions of one destination that one transport saved.
type row struct {
	destination, transport string
	sessions, dead         int
	endpoints              map[string]bool
	uses                   int // most
	left                   int // seconds until the last one goes
}

// orders are what rows can be sorted by.
var orders = [...]struct {
	name    string
	compare func(a, b *row) int
}{
	{"sessions", func(a, b *row) int { return b.sessions - a.sessions }},
	{"uses", func(a, b *row) int { return b.uses - a.uses }},
	{"time left", func(a, b *row) int { return a.left - b.left }},
	{"destination", func(a, b *row) int { return 0 }},
}

// rows are the destinations that the filter lets through, in order.
func (s *Screen) rows() []*row {
	type key struct{ destination, transport string }
	all := map[key]*row{}
	var list []*row
	for _, session := range s.last.Sessions {
		k := key{operator.Escaped(session.Destination), operator.Escaped(session.Transport)}
		if k.destination == "" {
			k.destination = operator.Escaped(session.Endpoint)
		}
		r := all[k]
		if r == nil {
			r = &row{destination: k.destination, transport: k.transport, endpoints: map[string]bool{}}
			all[k] = r
			if s.gone == nil && s.lets(k.destination+" "+k.transport) {
				list = append(list, r)
			}
		}
		r.sessions++
		if !session.Alive {
			r.dead++
		}
		r.endpoints[session.Endpoint] = true
		r.uses, r.left = max(r.uses, session.Uses), max(r.left, session.Left)
	}
	slices.SortFunc(list, func(a, b *row) int {
		n := cmp.Or(orders[s.order].compare(a, b), strings.Compare(a.destination, b.destination), strings.Compare(a.transport, b.transport))
		if s.reversed {
			return -n
		}
		return n
	})
	return list
}

// lets says whether the filter lets a text through.
func (s *Screen) lets(text string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(operator.Escaped(s.filter)))
}
