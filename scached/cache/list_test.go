package cache

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// all lists the sequence numbers of a kind in pages of that size, and lets
// things happen between two pages.
func all(m *Multi, kind Kind, page int, between func()) (listed []uint64) {
	after, more := uint64(0), true
	for more {
		after, more = m.List(kind, after, page, func(e *Entry) bool {
			listed = append(listed, e.Sequence)
			return true
		})
		between()
	}
	return listed
}

// An item that is there from the beginning of a listing to its end is listed
// exactly once, in the order of saving, and none is listed twice, whatever is
// saved, found, refreshed, expires and is dropped by limits meanwhile.
func TestListUnderChurn(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for round := range uint64(15) {
		random := rand.New(rand.NewPCG(seed, round))
		m := NewMulti(Options{Close: func(Closed) {}, Limits: Limits{Sessions: 1500, Bindings: 1500, DestinationBindings: 400}})
		now, session := int64(0), 0
		churn := func(n int) {
			for range n {
				endpoint, destination := fmt.Appendf(nil, "e%d", random.IntN(300)), fmt.Appendf(nil, "d%d", random.IntN(20))
				switch ttl := 1 + random.IntN(50); random.IntN(8) {
				case 0, 1:
					session++
					m.SaveEndpoint(ttl, endpoint, nil, session)
				case 2, 3:
					m.SaveDestination(ttl, destination, fmt.Append(nil, random.IntN(30)), endpoint)
				case 4:
					m.FindDestination(destination)
				case 5:
					if random.IntN(20) == 0 {
						now++
						m.Expire(now)
					}
				case 6:
					m.FindEndpoint(endpoint)
				case 7:
					if random.IntN(200) == 0 {
						m.Flush(Kind(random.IntN(2)), 0, 1000, func(*Entry) (matches, stop bool) { return random.IntN(10) > 0, random.IntN(500) == 0 }, false)
					}
				}
			}
		}
		churn(random.IntN(10_000))
		for _, kind := range []Kind{Sessions, Bindings} {
			before := all(m, kind, 1<<30, func() {})
			listed := all(m, kind, 1+random.IntN(300), func() { churn(random.IntN(100)) })
			after := all(m, kind, 1<<30, func() {})
			if !slices.IsSorted(listed) || len(slices.Compact(slices.Clone(listed))) != len(listed) {
				t.Fatalf("round %d: listed out of order, or twice: %v", round, listed)
			}
			for _, sequence := range before {
				_, stays := slices.BinarySearch(after, sequence)
				_, found := slices.BinarySearch(listed, sequence)
				if stays && !found {
					t.Fatalf("round %d: kind %d: item %d stays, but is not listed", round, kind, sequence)
				}
			}
			checkJournal(t, m.pool(kind))
		}
	}
}

// checkJournal looks at what a journal promises: it is in order, complete, and
// so dense that a place is found soon.
func checkJournal(t *testing.T, p *pool) {
	t.Helper()
	blocks, held := 0, 0
	last := uint64(0)
	for b := p.journal.first; b != nil; b = b.next {
		blocks++
		n := 0
		for at, i := range b.items {
			if i == nil {
				continue
			}
			if at >= b.used || i.place != (place{b, at}) || i.sequence <= last || i.sequence > b.highest {
				t.Fatalf("item %d is out of place", i.sequence)
			}
			last = i.sequence
			n++
		}
		if n != b.held || n == 0 {
			t.Fatalf("a block says that it holds %d, and holds %d", b.held, n)
		}
		held += n
	}
	if held != p.count {
		t.Fatalf("%d in the journal, %d in the pool", held, p.count)
	}
	if most := held/(blockSize/4) + 2; blocks > most {
		t.Errorf("%d blocks for %d items, want at most %d", blocks, held, most)
	}
}

// Nor does it become sparse when only every hundredth item stays.
func TestJournalStaysDense(t *testing.T) {
	m := NewMulti(Options{Close: func(Closed) {}})
	for i := range 50_000 {
		ttl := 5
		if i%100 == 0 {
			ttl = 1000
		}
		m.SaveEndpoint(ttl, fmt.Append(nil, i), nil, i)
		if i%50 == 0 {
			m.Expire(int64(i / 50))
		}
	}
	checkJournal(t, &m.sessions)
}

func TestFlush(t *testing.T) {
	save := func() *Multi {
		m := NewMulti(Options{Close: func(c Closed) {
			if c.Reason != Flushed {
				t.Errorf("reason %d", c.Reason)
			}
		}})
		for i := range 10 {
			endpoint := fmt.Appendf(nil, "e%d", i%5)
			m.SaveEndpoint(9, endpoint, nil, i)
			m.SaveDestination(9, fmt.Appendf(nil, "d%d", i%2), nil, endpoint)
		}
		return m
	}
	for _, test := range []struct {
		name    string
		kind    Kind
		match   string // a label, "" for any
		follow  bool
		most    int // in a call
		flushed Size
		size    Size // left
	}{
		{"all sessions", Sessions, "", false, 100, Size{Sessions: 10}, Size{2, 0, 10, 0}},
		{"all sessions in pages", Sessions, "", false, 3, Size{Sessions: 10}, Size{2, 0, 10, 0}},
		{"of an endpoint", Sessions, "e1", false, 3, Size{Sessions: 2}, Size{2, 4, 10, 8}},
		{"all bindings", Bindings, "", false, 100, Size{Bindings: 10}, Size{0, 5, 0, 10}},
		{"of a destination", Bindings, "d0", false, 3, Size{Bindings: 5}, Size{1, 5, 5, 10}},
		{"of a destination, with its sessions", Bindings, "d0", true, 100, Size{Bindings: 5, Sessions: 10}, Size{1, 0, 5, 0}},
		{"the same in pages", Bindings, "d0", true, 2, Size{Bindings: 5, Sessions: 10}, Size{1, 0, 5, 0}},
		{"nothing", Sessions, "x", false, 100, Size{}, Size{2, 5, 10, 10}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := save()
			var flushed Size
			after, more := uint64(0), true
			for calls := 0; more; calls++ {
				var bindings, sessions int
				bindings, sessions, after, more = m.Flush(test.kind, after, test.most, func(e *Entry) (matches, stop bool) {
					return test.match == "" || test.match == string(e.Label), calls%2 == 1
				}, test.follow)
				flushed.Bindings += bindings
				flushed.Sessions += sessions
				if calls > 100 {
					t.Fatal("no end")
				}
			}
			if diff := cmp.Diff(test.flushed, flushed); diff != "" {
				t.Errorf("flushed (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.size, m.Size()); diff != "" {
				t.Errorf("left (-want +got):\n%s", diff)
			}
		})
	}
}
