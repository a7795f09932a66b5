package daemon

import "time"

// floodSeconds is for how many seconds' worth of warnings may come at once.
const floodSeconds = 10

// A floodGate holds back warnings that come too fast. A client that sends garbage
// causes some ten of them with each message, as it would with the reference.
type floodGate struct {
	perSecond int // 0 for any number
	left      int // that may come at once
	at        time.Time
}

// shut tells whether the last warning was the last one that may come.
func (g *floodGate) shut() bool { return g.perSecond > 0 && !g.at.IsZero() && g.left == 0 }

// allow tells whether one more may come.
func (g *floodGate) allow(now time.Time) bool {
	if g.perSecond <= 0 {
		return true
	}
	most := g.perSecond * floodSeconds
	elapsed := now.Sub(g.at)
	if g.at.IsZero() || elapsed >= floodSeconds*time.Second {
		g.left, g.at = most, now
	} else if more := int(elapsed * time.Duration(g.perSecond) / time.Second); more > 0 {
		g.left = min(g.left+more, most)
		g.at = g.at.Add(time.Duration(more) * time.Second / time.Duration(g.perSecond))
	}
	if g.left == 0 {
		return false
	}
	g.left--
	return true
}
