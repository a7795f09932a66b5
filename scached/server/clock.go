package server

import "time"

// A clock tells the time in seconds, such that a session never lives longer
// than its ttl whatever happens to the system's clock. Seconds begin when they
// begin on the wall clock, like those of time(2), which the reference uses.
// But where that is set back the clock goes on, at the pace of the monotonic
// clock; where it is set forward, or the machine slept, the clock follows.
type clock struct {
	base  time.Time // its monotonic reading is what counts
	nanos int64     // of the clock, at base
}

// newClock returns a clock that begins now, when the wall clock says so many
// nanoseconds.
func newClock(now time.Time, wall int64) clock { return clock{base: now, nanos: wall} }

// read returns the time now.
func (c *clock) read(now time.Time, wall int64) (seconds int64, untilNext time.Duration) {
	nanos := c.nanos + int64(now.Sub(c.base))
	if ahead := wall - nanos; ahead > 0 {
		c.nanos += ahead
		nanos += ahead
	}
	seconds = nanos / int64(time.Second)
	return seconds, time.Duration((seconds+1)*int64(time.Second) - nanos)
}
