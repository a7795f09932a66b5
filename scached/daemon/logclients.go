package daemon

import "sync/atomic"

// A ClientLog is a [Log] as clients may fill it: of the warnings that they cause
// no more than a number in a second. Lines that the daemon has to say for itself
// go to the Log and are not counted here.
type ClientLog struct {
	log  *Log
	gate floodGate // the log's lock is its lock
	held atomic.Uint64
}

// ForClients returns the log for what clients cause, which takes so many warnings
// a second, ten times as many at once; 0 for any number.
func (l *Log) ForClients(perSecond int) *ClientLog {
	return &ClientLog{log: l, gate: floodGate{perSecond: perSecond}}
}

// Info logs a line without a label.
func (c *ClientLog) Info(text string) { c.log.Info(text) }

// Warning logs a line that begins with "warning: ", if there were not too many
// already. How many were left out is said in the log, once a second at most.
func (c *ClientLog) Warning(text string) {
	if c.pass() {
		c.log.Warning(text)
	}
}

func (c *ClientLog) pass() bool {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	if c.gate.allow(c.log.now()) {
		return true
	}
	c.log.lost++
	c.held.Add(1)
	return false
}

// Flooded tells whether warnings are held back, so many have there been.
func (c *ClientLog) Flooded() bool {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	return c.gate.shut()
}

// Suppressed is how many warnings were left out since the start of the process.
func (c *ClientLog) Suppressed() uint64 { return c.held.Load() }
