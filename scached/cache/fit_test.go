package cache

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A session that is not fit is closed, and the next one is tried.
func TestFit(t *testing.T) {
	for _, test := range []struct {
		name         string
		unfit        map[int]bool // of the sessions 1 and 2 with one endpoint, 3 with another
		found        int
		closed, left []int
	}{
		{"all fit", nil, 1, nil, []int{2, 3}},
		{"the first", map[int]bool{1: true}, 2, []int{1}, []int{3}},
		{"all of the endpoint", map[int]bool{1: true, 2: true}, 3, []int{1, 2}, nil},
		{"all", map[int]bool{1: true, 2: true, 3: true}, 0, []int{1, 2, 3}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			var closed []int
			m := NewMulti(Options{
				Close: func(c Closed) { closed = append(closed, c.Session) },
				Fit:   func(session int) bool { return !test.unfit[session] },
			})
			m.SaveDestination(9, []byte("d"), []byte("p"), []byte("a"))
			m.SaveDestination(9, []byte("d"), []byte("q"), []byte("b"))
			m.SaveEndpoint(9, []byte("a"), nil, 1)
			m.SaveEndpoint(9, []byte("a"), nil, 2)
			m.SaveEndpoint(9, []byte("b"), nil, 3)
			found, ok := m.FindDestination([]byte("d"))
			if found.Session != test.found || ok != (found.Session > 0) {
				t.Errorf("found %d %v, want %d", found.Session, ok, test.found)
			}
			if !ok && (found.Property != nil || found.DestinationProperty != nil) {
				t.Errorf("properties of nothing are %q and %q", found.DestinationProperty, found.Property)
			}
			if diff := cmp.Diff(test.closed, closed); diff != "" {
				t.Errorf("closed (-want +got):\n%s", diff)
			}
			if m.Dropped != (Dropped{}) {
				t.Errorf("%v count as dropped because of a limit", m.Dropped)
			}
			closed = nil
			m.Close()
			if diff := cmp.Diff(test.left, closed); diff != "" {
				t.Errorf("left (-want +got):\n%s", diff)
			}
		})
	}
}
