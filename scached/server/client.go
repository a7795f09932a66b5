package server

import (
	"time"

	"scache/scached/protocol"
)

// A client is a connection to the service socket. It is in one of the queues
// of the server: idle between requests, busy within one.
type client struct {
	fd       int // owned
	sequence int32
	conn     protocol.Conn
	action   protocol.Action
	writing  bool // waiting to write, not to read
	ended    bool // it has no more to say, and everything it said was read
	held     int  // bytes of memory of its conversation, counted in the server's
	since    time.Time
	queue    *clientQueue
	prev     *client
	next     *client // also links free clients
}

// A clientQueue holds clients in the order in which they joined.
type clientQueue struct{ first, last *client }

func (q *clientQueue) push(c *client) {
	c.queue, c.prev, c.next = q, q.last, nil
	if q.last == nil {
		q.first = c
	} else {
		q.last.next = c
	}
	q.last = c
}

func (q *clientQueue) remove(c *client) {
	if c.prev == nil {
		q.first = c.next
	} else {
		c.prev.next = c.next
	}
	if c.next == nil {
		q.last = c.prev
	} else {
		c.next.prev = c.prev
	}
	c.queue, c.prev, c.next = nil, nil, nil
}

// firstBut is the first client of the queue that is not except.
func (q *clientQueue) firstBut(except *client) *client {
	if q.first == except && except != nil {
		return except.next
	}
	return q.first
}
