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
	one := itemSize + 2 // bytes of a binding whose texts are one byte each
	for _, test := range []struct {
		name    string
		limits  Limits
		steps   string // one a line
		closed  []int
		dropped Dropped
		size    Size
	}{
		{"none", Limits{}, "endp a p\nendp a p\ndest d p a", nil, Dropped{}, Size{1, 1, 1, 2}},
		{"sessions", Limits{Sessions: 2}, "endp a p\nendp b p\nendp c p\nendp b p", []int{1, 2},
			Dropped{SessionLimit: 2}, Size{0, 2, 0, 2}},
		{"one session", Limits{Sessions: 1}, "endp a p\nendp a p\nendp b p", []int{1, 2},
			Dropped{SessionLimit: 2}, Size{0, 1, 0, 1}},
		{"sessions of an endpoint", Limits{EndpointSessions: 2}, "endp a p\nendp b p\nendp a p\nendp a p\nendp b p", []int{1},
			Dropped{EndpointSessionLimit: 1}, Size{0, 2, 0, 4}},
		{"one session of an endpoint", Limits{EndpointSessions: 1}, "endp a p\nendp a p\nendp b p", []int{1},
			Dropped{EndpointSessionLimit: 1}, Size{0, 2, 0, 2}},
		{"both at once", Limits{Sessions: 3, EndpointSessions: 1}, "endp a p\nendp b p\nendp c p\nendp c p", []int{3},
			Dropped{EndpointSessionLimit: 1}, Size{0, 3, 0, 3}},
		{"bindings", Limits{Bindings: 2}, "dest d p a\ndest d q a\ndest e p a", nil,
			Dropped{BindingLimit: 1}, Size{2, 0, 2, 0}},
		{"bindings of a destination", Limits{DestinationBindings: 2},
			"dest d p a\ndest e p a\ndest d p b\ndest d p c\ndest e p b\nendp a p", nil,
			Dropped{DestinationBindingLimit: 1}, Size{2, 1, 4, 1}},
		{"a refreshed binding of a destination", Limits{DestinationBindings: 2}, "dest d p a\ndest d p b\ndest d p a", nil,
			Dropped{}, Size{1, 0, 2, 0}},
		{"memory of a destination", Limits{DestinationMemory: 3 * one}, "dest d p a\ndest d q a\ndest d r a\ndest d s a\ndest e p a", nil,
			Dropped{DestinationMemoryLimit: 1}, Size{2, 0, 4, 0}},
		{"a large binding, and several have to go", Limits{DestinationMemory: 3 * one},
			"dest d p a\ndest d q a\ndest d r a\ndest d " + strings.Repeat("s", 2*one) + " a\ndest e p a", nil,
			Dropped{DestinationMemoryLimit: 3}, Size{2, 0, 2, 0}},
		{"bindings do not count as sessions", Limits{Sessions: 1, Bindings: 1}, "endp a p\ndest d p a\nendp a p\ndest d q a", []int{1},
			Dropped{SessionLimit: 1, BindingLimit: 1}, Size{1, 1, 1, 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var closed []int
			m := NewMulti(Options{Limits: test.limits, Close: func(c Closed) {
				closed = append(closed, c.Session)
				if c.Reason != Limited {
					t.Errorf("session %d was closed for reason %d", c.Session, c.Reason)
				}
			}})
			session := 0
			for step := range strings.SplitSeq(test.steps, "\n") {
				runStep(m, step, &session)
			}
			if diff := cmp.Diff(test.closed, closed); diff != "" {
				t.Errorf("closed sessions (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.dropped, m.Dropped); diff != "" {
				t.Errorf("dropped by limit (-want +got):\n%s", diff)
			}
			if got := m.Size(); got != test.size {
				t.Errorf("size is %+v, want %+v", got, test.size)
			}
		})
	}
}

// The binding that was not used for longest goes, be it of all or of one
// destination. The first one was saved first, but is in use.
func TestLeastRecentlyUsed(t *testing.T) {
	for _, test := range []struct {
		name   string
		limits Limits
		use    func(m *Multi)
	}{
		{"refreshed, all", Limits{Bindings: 3}, func(m *Multi) {
			m.SaveDestination(9, []byte("d"), []byte("p"), []byte("a"))
		}},
		{"refreshed, of the destination", Limits{DestinationBindings: 3}, func(m *Multi) {
			m.SaveDestination(9, []byte("d"), []byte("p"), []byte("a"))
		}},
		{"found, all", Limits{Bindings: 3}, func(m *Multi) {
			m.SaveEndpoint(9, []byte("a"), nil, 1)
			m.FindDestination([]byte("d"))
		}},
		{"found, of the destination", Limits{DestinationBindings: 3}, func(m *Multi) {
			m.SaveEndpoint(9, []byte("a"), nil, 1)
			m.FindDestination([]byte("d"))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := NewMulti(Options{Limits: test.limits, Close: func(Closed) {}})
			for i := range 100 {
				m.SaveDestination(9, []byte("d"), []byte("p"), []byte("a"))
				m.SaveDestination(9, []byte("d"), fmt.Append(nil, i), []byte("b"))
				test.use(m)
			}
			var left []string
			m.List(Bindings, 0, 10, func(e *Entry) bool {
				left = append(left, string(e.Property))
				return true
			})
			if diff := cmp.Diff([]string{"p", "98", "99"}, left); diff != "" {
				t.Errorf("bindings (-want +got):\n%s", diff)
			}
		})
	}
}

// The memory limit is set to what is held after some steps; then comes one more.
func TestMemoryLimit(t *testing.T) {
	for _, test := range []struct {
		name          string
		steps         string
		conversations int // bytes
		last          string
		closed        []int
		size          Size
		ask           bool // a conversation has to end
	}{
		{"sessions hold most", "endp a pp\nendp a pp\nendp a pp\ndest d p a", 0, "dest d q a", []int{1}, Size{1, 1, 2, 2}, false},
		{"bindings hold most", "endp a p\ndest d p a\ndest d q a\ndest d r a", 0, "endp a p", nil, Size{1, 1, 2, 2}, false},
		{"conversations hold most", "endp a p\ndest d p a", 1 << 16, "endp a p", nil, Size{1, 1, 1, 2}, true},
		{"a large one, and several have to go", "endp a p\nendp b p\nendp c p", 0, "endp d " + strings.Repeat("x", 2*itemSize), []int{1, 2, 3}, Size{0, 1, 0, 1}, false},
		{"it does not fit at all", "", 0, "endp a p", []int{1}, Size{}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			var closed []int
			m := NewMulti(Options{Close: func(c Closed) { closed = append(closed, c.Session) }})
			session := 0
			for step := range strings.SplitSeq(test.steps, "\n") {
				if step != "" {
					runStep(m, step, &session)
				}
			}
			m.Memory.Conversations = test.conversations
			m.Memory.Limit = max(m.Memory.Held(), 1)
			if m.LimitMemory() || len(closed) > 0 {
				t.Fatal("exactly the limit is too much")
			}
			runStep(m, test.last, &session)
			if diff := cmp.Diff(test.closed, closed); diff != "" {
				t.Errorf("closed sessions (-want +got):\n%s", diff)
			}
			if got := m.Size(); got != test.size {
				t.Errorf("size is %+v, want %+v", got, test.size)
			}
			if got := m.LimitMemory(); got != test.ask {
				t.Errorf("a conversation has to end: %v", got)
			}
			if m.Memory.Held() > m.Memory.Limit && !test.ask {
				t.Errorf("%+v are held", m.Memory)
			}
			m.Memory.Limit = 0
			m.Close()
			if m.Memory.Sessions != 0 || m.Memory.Bindings != 0 {
				t.Errorf("an empty cache holds %+v", m.Memory)
			}
			m.Memory.Limit, m.Memory.Conversations = 1, 0
			if m.LimitMemory(); m.Memory.Held() != 0 {
				t.Errorf("without what is spare there are %+v", m.Memory)
			}
		})
	}
}

func TestGiveUpSession(t *testing.T) {
	var closed []int
	m := NewMulti(Options{Close: func(c Closed) { closed = append(closed, c.Session) }})
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
	if m.Dropped != (Dropped{DescriptorLimit: 2}) {
		t.Errorf("dropped %v", m.Dropped)
	}
}

// More labels than the table has chains.
func TestManyLabels(t *testing.T) {
	m := NewMulti(Options{Close: func(Closed) {}})
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
