package cache

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func caches(o Options) map[string]Cache {
	return map[string]Cache{"multi": NewMulti(o), "single": NewSingle(o)}
}

// An item saved in second T with ttl t goes at the first look at the clock
// that reads T+t or more; a clock that goes back is not believed.
func TestClock(t *testing.T) {
	for _, test := range []struct {
		name   string
		times  []int64 // of Expire, after an item with ttl 3 was saved at 100
		gone   bool
		closed int
	}{
		{"too early", []int64{101, 102}, false, 0},
		{"in time", []int64{101, 103}, true, 1},
		{"not looked at for long", []int64{100_000_000}, true, 1},
		{"many times in one second", []int64{100, 100, 102, 102, 102}, false, 0},
		{"back, then on to where it was", []int64{102, 50, 102}, false, 0},
		{"back, and on from there", []int64{102, 50, 51, 52, 53, 54}, false, 0},
		{"back, then due", []int64{102, 50, 103}, true, 1},
		{"due, then back", []int64{103, 50}, true, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			closed := 0
			for name, c := range caches(Options{Now: 100, Close: func(Closed) { closed++ }}) {
				closed = 0
				c.SaveEndpoint(3, []byte("a"), nil, 7)
				c.SaveDestination(3, []byte("d"), nil, []byte("a"))
				for _, now := range test.times {
					c.Expire(now)
				}
				if gone := c.Size() == (Size{}); gone != test.gone || closed != test.closed {
					t.Errorf("%s: gone is %v, %d closed; want %v, %d", name, gone, closed, test.gone, test.closed)
				}
			}
		})
	}
}

// While the clock is back, a ttl begins at the latest time that was seen.
func TestSaveWhileClockIsBack(t *testing.T) {
	for name, c := range caches(Options{Close: func(Closed) {}}) {
		c.Expire(100)
		c.Expire(40)
		c.SaveEndpoint(2, []byte("a"), nil, 7)
		for _, now := range []int64{42, 101} {
			c.Expire(now)
			if c.Size().Sessions != 1 {
				t.Errorf("%s: the SMTP session is gone at %d", name, now)
			}
		}
		c.Expire(102)
		if c.Size().Sessions != 0 {
			t.Errorf("%s: the SMTP session is there at 102", name)
		}
	}
}

// Every descriptor is either found once or closed once.
func TestOwnership(t *testing.T) {
	closed := make(map[int]int)
	for name, c := range caches(Options{Close: func(c Closed) { closed[c.Session]++ }}) {
		clear(closed)
		for session := range 5 {
			c.SaveEndpoint(1+session%2, []byte("a"), nil, session)
		}
		found, ok := c.FindEndpoint([]byte("a"))
		if !ok {
			t.Fatalf("%s: nothing found", name)
		}
		closed[found.Session]++
		c.Expire(1)
		c.Close()
		c.Close()
		for session := range 5 {
			if closed[session] != 1 {
				t.Errorf("%s: session %d was closed or found %d times", name, session, closed[session])
			}
		}
		if c.Size() != (Size{}) {
			t.Errorf("%s: size when closed is %+v", name, c.Size())
		}
	}
}

// Whoever sleeps until Due misses nothing, and does not wake up in each second.
func TestDue(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 8))
	const start, items = 1000, 200
	closed := map[int]int64{} // when, by session
	now := int64(start)
	m := NewMulti(Options{Now: start, Close: func(c Closed) { closed[c.Session] = now }})
	want := map[int]int64{}
	save := func(session int) {
		ttl := 1 + random.IntN(2*slots)
		want[session] = now + int64(ttl)
		m.SaveEndpoint(ttl, strconv.AppendInt(nil, int64(session), 10), nil, session)
	}
	for session := range items {
		save(session)
	}
	sleeps := 0
	for due, ok := m.Due(); ok; due, ok = m.Due() {
		if due <= now {
			t.Fatalf("due at %d, which is not later than %d", due, now)
		}
		now = due
		m.Expire(now)
		if sleeps++; sleeps%3 == 0 && len(want) < 2*items {
			save(len(want))
		}
	}
	if diff := cmp.Diff(want, closed); diff != "" {
		t.Errorf("sessions closed (-want +got):\n%s", diff)
	}
	if most := 3 * len(want); sleeps > most {
		t.Errorf("slept %d times for %d sessions", sleeps, len(want))
	}
}
