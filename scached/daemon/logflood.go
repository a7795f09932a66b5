package daemon

import "time"

// Warnings are about what clients do. One that sends garbage causes some ten of
// them with each message, as it would with the reference; so many in a second are
// logged, and as many more once in a while.
const (
	warningsPerSecond = 100
	warningsAtOnce    = 1000
)

// A floodGate holds back warnings that come too fast.
type floodGate struct {
	left int // that may come at once
	at   time.Time
}

// allow tells whether one more may come.
func (g *floodGate) allow(now time.Time) bool {
	more := int(now.Sub(g.at) * warningsPerSecond / time.Second)
	if g.at.IsZero() || more >= warningsAtOnce {
		g.left, g.at = warningsAtOnce, now
	} else if more > 0 {
		g.left = min(g.left+more, warningsAtOnce)
		g.at = g.at.Add(time.Duration(more) * time.Second / warningsPerSecond)
	}
	if g.left == 0 {
		return false
	}
	g.left--
	return true
}
