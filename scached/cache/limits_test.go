package cache

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A step of a test names an operation: "endp LABEL PROPERTY", whose sessions
// are numbered from 1, or "dest LABEL PROPERTY ENDPOINT".
func runStep(m *Multi, step string, session *int) {
	words := strings.Split(step, " ")
	if words[0] == "endp" {
		*session++
		m.SaveEndpoint(9, []byte(words[1]), []byte(words[2]), *session)
	} else {
		m.SaveDestination(9, []byte(words[1]), []byte(words[2]), []byte(words[3]))
	}
}

func TestLimits(t *testing.T) {
	long := strings.Repeat("x", 50)
	for _, test := range []struct {
		name    string
		limits  Limits
		steps   string // one a line
		closed  []int
		dropped int
		size    Size
	}{
		{"none", Limits{}, "endp a p\nendp a p\ndest d p a", nil, 0, Size{1, 1, 1, 2}},
		{"sessions", Limits{Sessions: 2}, "endp a p\nendp b p\nendp c p\nendp b p", []int{1, 2}, 2, Size{0, 2, 0, 2}},
		{"one session", Limits{Sessions: 1}, "endp a p\nendp a p\nendp b p", []int{1, 2}, 2, Size{0, 1, 0, 1}},
		{"sessions of an endpoint", Limits{EndpointSessions: 2}, "endp a p\nendp b p\nendp a p\nendp a p\nendp b p", []int{1}, 1, Size{0, 2, 0, 4}},
		{"one session of an endpoint", Limits{EndpointSessions: 1}, "endp a p\nendp a p\nendp b p", []int{1}, 1, Size{0, 2, 0, 2}},
		{"both at once", Limits{Sessions: 3, EndpointSessions: 1}, "endp a p\nendp b p\nendp c p\nendp c p", []int{1, 3}, 2, Size{0, 2, 0, 2}},
		{"bindings", Limits{Bindings: 2}, "dest d p a\ndest d q a\ndest e p a", nil, 1, Size{2, 0, 2, 0}},
		{"a refreshed binding is no newer", Limits{Bindings: 2}, "dest d p a\ndest e p a\ndest d p a\ndest f p a", nil, 1, Size{2, 0, 2, 0}},
		{"bindings of a destination", Limits{DestinationBindings: 2}, "dest d p a\ndest e p a\ndest d p b\ndest d p c\ndest e p b\nendp a p", nil, 1, Size{2, 1, 4, 1}},
		{"a refreshed binding of a destination", Limits{DestinationBindings: 2}, "dest d p a\ndest d p b\ndest d p a", nil, 0, Size{1, 0, 2, 0}},
		{"bindings do not count as sessions", Limits{Sessions: 1, Bindings: 1}, "endp a p\ndest d p a\nendp a p\ndest d q a", []int{1}, 2, Size{1, 1, 1, 1}},
		{"bytes of sessions", Limits{Bytes: 100}, "endp a " + long + "\nendp b " + long, []int{1}, 1, Size{0, 1, 0, 1}},
		{"bytes of bindings", Limits{Bytes: 100}, "dest a " + long + " m\ndest b p " + long, nil, 1, Size{1, 0, 1, 0}},
		{"bytes of labels", Limits{Bytes: 100}, "endp " + long + " p\nendp " + long + " p", []int{1}, 1, Size{0, 1, 0, 1}},
		{"exactly the limit", Limits{Bytes: 4}, "endp a p\nendp b p", nil, 0, Size{0, 2, 0, 2}},
		{"the newest stays", Limits{Bytes: 1}, "endp a " + long + "\ndest d p " + long, nil, 0, Size{1, 1, 1, 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var closed []int
			m := NewMulti(Options{Close: func(session int) { closed = append(closed, session) }, Limits: test.limits})
			session := 0
			for step := range strings.SplitSeq(test.steps, "\n") {
				runStep(m, step, &session)
			}
			if diff := cmp.Diff(test.closed, closed); diff != "" {
				t.Errorf("closed sessions (-want +got):\n%s", diff)
			}
			if got := m.Dropped(); got != test.dropped {
				t.Errorf("%d dropped, want %d", got, test.dropped)
			}
			if got := m.Dropped(); got != 0 {
				t.Errorf("%d dropped when asked again", got)
			}
			if got := m.Size(); got != test.size {
				t.Errorf("size is %+v, want %+v", got, test.size)
			}
			m.Expire(9)
			if m.sessions.bytes != 0 || m.bindings.bytes != 0 {
				t.Errorf("%d bytes of sessions and %d of bindings are left of an empty cache", m.sessions.bytes, m.bindings.bytes)
			}
		})
	}
}

func TestGiveUpSession(t *testing.T) {
	var closed []int
	m := NewMulti(Options{Close: func(session int) { closed = append(closed, session) }})
	if m.GiveUpSession() {
		t.Error("an empty cache gave up a session")
	}
	m.SaveDestination(9, []byte("d"), nil, []byte("a"))
	m.SaveEndpoint(9, []byte("a"), nil, 1)
	m.SaveEndpoint(1, []byte("b"), nil, 2)
	m.SaveEndpoint(9, []byte("a"), nil, 3)
	if found, ok := m.FindEndpoint([]byte("a")); found.Session != 1 || !ok {
		t.Fatalf("found %d %v, want the first", found.Session, ok)
	}
	for m.GiveUpSession() {
	}
	if diff := cmp.Diff([]int{2, 3}, closed); diff != "" {
		t.Errorf("closed sessions (-want +got):\n%s", diff)
	}
	if size := m.Size(); size != (Size{Destinations: 1, Bindings: 1}) {
		t.Errorf("size is %+v", size)
	}
	if got := m.Dropped(); got != 2 {
		t.Errorf("%d dropped", got)
	}
}

// More labels than the table has chains.
func TestManyLabels(t *testing.T) {
	m := NewMulti(Options{Close: func(int) {}})
	label := func(i int) []byte { return fmt.Appendf(nil, "endpoint%d", i) }
	const many = 2*buckets + 100
	for i := range many {
		m.SaveEndpoint(9, label(i), label(i), i)
	}
	if size := m.Size(); size.Endpoints != many || size.Sessions != many {
		t.Fatalf("size is %+v", size)
	}
	for i := many - 1; i >= 0; i-- {
		found, ok := m.FindEndpoint(label(i))
		if !ok || found.Session != i || string(found.Property) != string(label(i)) {
			t.Fatalf("found %d %s %v for %s", found.Session, found.Property, ok, label(i))
		}
		if _, ok := m.FindEndpoint(label(i)); ok {
			t.Fatalf("found %s again", label(i))
		}
	}
	if size := m.Size(); size != (Size{}) {
		t.Errorf("size is %+v", size)
	}
}
