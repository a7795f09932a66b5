package server

import (
	"math/rand/v2"
	"testing"
	"time"

	"scache/scached/cache"
)

// A fakeTime is what the two clocks of a machine say: the wall clock, which
// somebody may set, and the monotonic one, which only goes on.
type fakeTime struct{ wall, monotonic time.Duration }

// epoch is when the fake wall clock says nothing but zero. Its nanoseconds are
// not: seconds begin when they begin on the wall clock, not when the clock does.
var epoch = time.Date(2026, time.November, 21, 19, 28, 21, 300_000_000, time.UTC)

// at is the time, and what the wall clock says.
func (f fakeTime) at() (now time.Time, wall int64) {
	return epoch.Add(f.monotonic), epoch.Add(f.wall).UnixNano()
}

// second is the n'th second after that of epoch.
func second(n int64) int64 { return epoch.Unix() + n }

func TestClock(t *testing.T) {
	type reading struct {
		at        fakeTime
		seconds   int64         // after epoch's
		untilNext time.Duration // second
	}
	const ms = time.Millisecond
	for _, test := range []struct {
		name     string
		readings []reading
	}{
		{"nothing happens", []reading{
			{fakeTime{0, 0}, 0, 700 * ms},
			{fakeTime{699 * ms, 699 * ms}, 0, 1 * ms},
			{fakeTime{700 * ms, 700 * ms}, 1, 1000 * ms},
			{fakeTime{2000 * ms, 2000 * ms}, 2, 700 * ms},
		}},
		{"set back an hour", []reading{
			{fakeTime{-3_600_000 * ms, 10 * ms}, 0, 690 * ms},
			{fakeTime{-3_599_000 * ms, 1010 * ms}, 1, 690 * ms},
			{fakeTime{-3_590_000 * ms, 10_010 * ms}, 10, 690 * ms},
		}},
		{"set forward an hour", []reading{
			{fakeTime{10 * ms, 10 * ms}, 0, 690 * ms},
			{fakeTime{3_600_020 * ms, 20 * ms}, 3600, 680 * ms},
			{fakeTime{3_601_020 * ms, 1020 * ms}, 3601, 680 * ms},
		}},
		{"forward, and back", []reading{
			{fakeTime{3_600_000 * ms, 10 * ms}, 3600, 700 * ms},
			{fakeTime{20 * ms, 20 * ms}, 3600, 690 * ms},
			{fakeTime{2020 * ms, 2020 * ms}, 3602, 690 * ms},
		}},
		{"back, and forward to where it was", []reading{
			{fakeTime{-3_600_000 * ms, 10 * ms}, 0, 690 * ms},
			{fakeTime{2020 * ms, 2020 * ms}, 2, 680 * ms},
		}},
		{"back, and forward further", []reading{
			{fakeTime{-3_600_000 * ms, 10 * ms}, 0, 690 * ms},
			{fakeTime{3_600_020 * ms, 20 * ms}, 3600, 680 * ms},
		}},
		{"slewed", []reading{
			{fakeTime{1001 * ms, 1000 * ms}, 1, 699 * ms},
			{fakeTime{2001 * ms, 2002 * ms}, 2, 697 * ms},
		}},
		{"asleep for a day, which the monotonic clock does not see", []reading{
			{fakeTime{86_400_010 * ms, 10 * ms}, 86_400, 690 * ms},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newClock(fakeTime{}.at())
			for i, r := range test.readings {
				seconds, untilNext := c.read(r.at.at())
				if seconds != second(r.seconds) || untilNext != r.untilNext {
					t.Errorf("reading %d: %d seconds after the first, %v until the next; want %d, %v",
						i, seconds-second(0), untilNext, r.seconds, r.untilNext)
				}
			}
		})
	}
}

// However the wall clock jumps, the clock does not go back, is never slower than
// time itself, and says truly how long to sleep until its next second.
func TestClockUnderAnyJumps(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 11))
	for range 200 {
		now := fakeTime{}
		c := newClock(now.at())
		last, _ := c.read(now.at())
		for range 50 {
			before := now
			seconds, untilNext := c.read(now.at())
			if untilNext <= 0 || untilNext > time.Second {
				t.Fatalf("%v until the next second", untilNext)
			}
			now.wall += untilNext
			now.monotonic += untilNext
			if next, _ := c.read(now.at()); next != seconds+1 {
				t.Fatalf("after a sleep of %v it is %d, not a second later", untilNext, next-seconds)
			}
			now = jump(now, random)
			got, _ := c.read(now.at())
			passed := now.monotonic - before.monotonic
			if got < last || time.Duration(got-seconds)*time.Second < passed-time.Second {
				t.Fatalf("after %v the clock has gone on by %d s", passed, got-seconds)
			}
			last = got
		}
	}
}

// jump lets some time pass, in which the wall clock may be set.
func jump(now fakeTime, random *rand.Rand) fakeTime {
	passed := time.Duration(random.Int64N(int64(3 * time.Second)))
	now.monotonic += passed
	now.wall += passed
	switch random.IntN(4) {
	case 0:
		now.wall -= time.Duration(random.Int64N(int64(time.Hour)))
	case 1:
		now.wall += time.Duration(random.Int64N(int64(time.Hour)))
	}
	return now
}

// A session is gone by the time that its ttl is over, whatever has happened to
// the wall clock; and it is not found then. The loop looks at the clock before
// each burst of requests, and when the next second begins.
func TestNoSessionOutlivesItsTTL(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 5))
	for range 300 {
		now := fakeTime{wall: time.Duration(random.Int64N(int64(time.Second)))}
		c := newClock(now.at())
		seconds, _ := c.read(now.at())
		closed := false
		m := cache.NewMulti(cache.Options{Now: seconds, Close: func(cache.Closed) { closed = true }})
		now = jump(now, random)
		seconds, _ = c.read(now.at())
		m.Expire(seconds)
		ttl := 1 + random.IntN(5)
		m.SaveEndpoint(ttl, []byte("endpoint"), nil, 7)
		saved := now.monotonic
		for !closed {
			seconds, untilNext := c.read(now.at())
			m.Expire(seconds)
			if age := now.monotonic - saved; !closed && age >= time.Duration(ttl)*time.Second {
				t.Fatalf("a session with a ttl of %d s is there after %v", ttl, age)
			}
			sleep := time.Duration(random.Int64N(int64(untilNext))) + 1
			now.monotonic += sleep
			now.wall += sleep
			if random.IntN(3) == 0 {
				now.wall += time.Duration(random.Int64N(int64(2*time.Hour))) - time.Hour
			}
		}
	}
}
