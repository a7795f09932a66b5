package top

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"scache/scached/control"
	"scache/scached/operator"
)

var start = time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)

// at is a sample so many seconds after the start, of a daemon whose counters are
// these numbers.
func at(seconds, pid int, hits, misses, saves, expired, dead uint64, sessions ...operator.Session) Sample {
	status := &control.Status{Version: "1.0", PID: pid, Start: start, Metrics: []control.Metric{
		{Name: "sessions", Value: uint64(len(sessions))},
		{Name: "memory_bytes", Labels: map[string]string{"held_by": "sessions"}, Value: 12345},
		{Name: "lookups_total", Labels: map[string]string{"kind": "destination", "result": "hit"}, Value: hits},
		{Name: "lookups_total", Labels: map[string]string{"kind": "endpoint", "result": "miss"}, Value: misses},
		{Name: "saves_total", Labels: map[string]string{"kind": "session"}, Value: saves},
		{Name: "saves_total", Labels: map[string]string{"kind": "binding"}, Value: 1000 * saves},
		{Name: "sessions_closed_total", Labels: map[string]string{"reason": "expired"}, Value: expired},
		{Name: "sessions_closed_total", Labels: map[string]string{"reason": "dead"}, Value: dead},
		{Name: "transport_sessions", Labels: map[string]string{"transport": "smtp"}, Value: uint64(len(sessions))},
		{Name: "transport_lookups_total", Labels: map[string]string{"transport": "smtp", "result": "hit"}, Value: hits},
		{Name: "transport_saves_total", Labels: map[string]string{"transport": "smtp"}, Value: saves},
	}}
	return Sample{At: start.Add(time.Duration(seconds) * time.Second), Status: status, Sessions: sessions}
}

func failed(seconds int) Sample {
	return Sample{At: start.Add(time.Duration(seconds) * time.Second), Err: errors.New("nobody\x1b[2J there")}
}

var sessions = []operator.Session{
	{Transport: "smtp", Destination: "b.example", Endpoint: "192.0.2.1:25", Left: 9, Uses: 3, Alive: true},
	{Transport: "smtp", Destination: "b.example", Endpoint: "192.0.2.2:25", Left: 4, Uses: 1},
	{Transport: "relay", Destination: "a\x1b[2J.example", Endpoint: "192.0.2.3:25", Left: 20, Uses: 7, Alive: true},
	{Transport: "smtp", Endpoint: "192.0.2.4:25", Left: 1, Alive: true},
}

func press(s *Screen, keys ...string) {
	for _, key := range keys {
		text := key
		if len(key) > 1 {
			text = ""
		}
		s.Key(key, text)
	}
}

func TestView(t *testing.T) {
	s := Screen{Path: "/q/private/scache", Width: 80, Height: 24}
	s.Add(at(0, 7, 0, 0, 0, 0, 0))
	s.Add(at(2, 7, 20, 4, 6, 0, 1, sessions...))
	s.Add(at(4, 7, 30, 4, 26, 1, 1, sessions...))
	want := `scached 1.0, process 7, up 4s on /q/private/scache
4 sessions of 0 endpoints, 0 bindings of 0 destinations, 0 clients, 12 KB

RATE          NOW/S    PEAK/S  BEFORE
hits            5.0      10.0   █▄
misses          0.0       2.0   █▁
saves          10.0      10.0   ▃█
expiries        0.5       0.5   ▁█
dead            0.0       0.5   █▁

TRANSPORT  SESSIONS  HITS/S  MISSES/S  SAVES/S
smtp              4     5.0       0.0     10.0

DESTINATION       TRANSPORT  SESSIONS  ENDPOINTS  DEAD  USES  LEFT
b.example         smtp              2          2     1     3    9s
192.0.2.4:25      smtp              1          1     0     0    1s
a\x1b[2J.example  relay             1          1     0     7   20s






s sort (sessions)  r reverse  / filter  p pause  q quit`
	if diff := cmp.Diff(strings.Split(want, "\n"), trimmed(plain(&s))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// plain is the screen without what makes some of it bold.
func plain(s *Screen) string { return ansi.Strip(s.View()) }

func trimmed(view string) []string {
	lines := strings.Split(view, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

// What happens to the daemon is said, and the rates start again.
func TestDaemonComesAndGoes(t *testing.T) {
	for _, test := range []struct {
		name    string
		samples []Sample
		says    string
		hits    []float64
		rows    int
	}{
		{"restarted", []Sample{at(0, 7, 50, 0, 0, 0, 0), at(1, 8, 2, 0, 0, 0, 0, sessions...), at(2, 8, 5, 0, 0, 0, 0, sessions...)},
			"03:00:01 restarted: process 8, after process 7", []float64{unknown, unknown, 3}, 3},
		{"gone", []Sample{at(0, 7, 5, 0, 0, 0, 0, sessions...), failed(1), failed(2)},
			`no answer since 03:00:01: nobody\x1b[2J there`, []float64{unknown, unknown, unknown}, 0},
		{"the same one back", []Sample{at(0, 7, 5, 0, 0, 0, 0), failed(1), at(2, 7, 9, 0, 0, 0, 0, sessions...)},
			"03:00:02 it answers again", []float64{unknown, unknown, 2}, 3},
		{"another one back", []Sample{at(0, 7, 5, 0, 0, 0, 0), failed(1), at(2, 9, 9, 0, 0, 0, 0, sessions...)},
			"03:00:02 restarted: process 9, after process 7", []float64{unknown, unknown, unknown}, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := Screen{Width: 80, Height: 24}
			for _, sample := range test.samples {
				s.Add(sample)
			}
			if got := trimmed(plain(&s)); got[2] != test.says {
				t.Errorf("the screen says %q, not %q", got[2], test.says)
			}
			if diff := cmp.Diff(test.hits, s.rates[0].history); diff != "" {
				t.Errorf("history of hits (-want +got):\n%s", diff)
			}
			if got := len(s.rows()); got != test.rows {
				t.Errorf("%d destinations, not %d", got, test.rows)
			}
		})
	}
}

func TestKeys(t *testing.T) {
	for _, test := range []struct {
		name, keys, want, says string
	}{
		{"sessions first", "", "b.example 192.0.2.4:25 a\\x1b[2J.example", "sort (sessions)"},
		{"by uses", "s", "a\\x1b[2J.example b.example 192.0.2.4:25", "sort (uses)"},
		{"by time left", "s s", "192.0.2.4:25 b.example a\\x1b[2J.example", "sort (time left)"},
		{"by destination, reversed", "s s s r", "b.example a\\x1b[2J.example 192.0.2.4:25", "sort (destination, reversed)"},
		{"round again", "s s s s", "b.example 192.0.2.4:25 a\\x1b[2J.example", "sort (sessions)"},
		{"filter by transport", "/ R E L enter", "a\\x1b[2J.example", "filter (REL, esc: none)"},
		{"typing a filter", "/ b . q backspace", "b.example", "filter: b._"},
		{"more backspaces than letters", "/ b backspace backspace", "b.example 192.0.2.4:25 a\\x1b[2J.example", "filter: _"},
		{"filter ended", "/ b enter esc", "b.example 192.0.2.4:25 a\\x1b[2J.example", "/ filter  p"},
		{"paused", "p", "b.example 192.0.2.4:25 a\\x1b[2J.example", "p go on"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var s Screen
			s.Add(at(1, 7, 0, 0, 0, 0, 0, sessions...))
			press(&s, strings.Fields(test.keys)...)
			var got []string
			for _, r := range s.rows() {
				got = append(got, r.destination)
			}
			if diff := cmp.Diff(strings.Fields(test.want), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if view := plain(&s); !strings.Contains(view, test.says) {
				t.Errorf("no %q in\n%s", test.says, view)
			}
		})
	}
	var s Screen
	if s.Key("/", "/") || s.Key("q", "q") || !s.Key("ctrl+c", "") {
		t.Error("in a filter, q is a letter and ctrl+c ends")
	}
	if s = (Screen{}); !s.Key("q", "q") {
		t.Error("q does not end")
	}
}

func TestPauseStandsStill(t *testing.T) {
	var s Screen
	s.Add(at(0, 7, 0, 0, 0, 0, 0))
	press(&s, "p")
	before := plain(&s)
	s.Add(at(1, 7, 9, 0, 0, 0, 0, sessions...))
	if diff := cmp.Diff(before, plain(&s)); diff != "" || !s.Paused() {
		t.Errorf("a paused screen changed (-want +got):\n%s", diff)
	}
	press(&s, "p")
	s.Add(at(3, 7, 9, 0, 0, 0, 0))
	if got := s.rates[0].now; got != 3 {
		t.Errorf("%v hits a second, over the time of the pause, not 3", got)
	}
}

// Whatever the terminal's size, the screen fits and has its keys.
func TestViewFits(t *testing.T) {
	var many []operator.Session
	for i := range 300 {
		many = append(many, operator.Session{Transport: "smtp", Destination: fmt.Sprintf("%s%03d.example", strings.Repeat("x", 90), i)})
	}
	for _, size := range []struct{ width, height int }{{80, 24}, {100, 60}, {72, 10}, {80, 3}} {
		s := Screen{Width: size.width, Height: size.height}
		for n := range 2 * longest {
			s.Add(at(n, 7, uint64(n*n), 0, 0, 0, 0, many...))
		}
		lines := strings.Split(plain(&s), "\n")
		if len(lines) != size.height {
			t.Errorf("%d lines on %v", len(lines), size)
		}
		if last := lines[len(lines)-1]; !strings.HasPrefix(last, "s sort") {
			t.Errorf("the last line on %v is %q", size, last)
		}
		if len(s.rates[0].history) != longest {
			t.Errorf("a history of %d", len(s.rates[0].history))
		}
		for _, line := range lines[min(3, len(lines)):] {
			if n := utf8.RuneCountInString(line); n > size.width {
				t.Errorf("%d wide on %v: %s", n, size, line)
			}
		}
		if size.height == 24 && !strings.Contains(plain(&s), "... 293 more") {
			t.Errorf("it is not said how many are missing:\n%s", plain(&s))
		}
	}
}
