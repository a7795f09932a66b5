package script

import "time"

// A clock counts whole seconds, as the cache does.
type clock interface {
	now() int64
	sleep(seconds int)
	// late tells that time has passed without a sleep.
	late() bool
}

// A virtualClock moves on by sleep alone.
type virtualClock int64

func (c *virtualClock) now() int64        { return int64(*c) }
func (c *virtualClock) sleep(seconds int) { *c += virtualClock(seconds) }
func (c *virtualClock) late() bool        { return false }

// margin is how far from the turn of a second the wall clock is safe to use:
// time(2) may lag behind by a tick of the kernel's timer.
const margin = 60 * time.Millisecond

// A wallClock is the system's. Its sleeps end just after the turn of a second,
// so that what a script does next happens within one.
type wallClock struct{ expected int64 } // the second that it is, if not late

// newWallClock returns when enough of the second is left for a few commands.
func newWallClock() *wallClock {
	now := time.Now()
	c := &wallClock{expected: now.Unix()}
	switch part := time.Duration(now.Nanosecond()); {
	case part < margin:
		c.sleep(0)
	case part > time.Second*3/4:
		c.sleep(1)
	}
	return c
}

func (c *wallClock) now() int64 { return time.Now().Unix() }

func (c *wallClock) sleep(seconds int) {
	c.expected = c.now() + int64(seconds)
	time.Sleep(time.Until(time.Unix(c.expected, int64(margin))))
}

func (c *wallClock) late() bool {
	part := time.Since(time.Unix(c.expected, 0))
	return part < margin/2 || part > time.Second-margin
}
