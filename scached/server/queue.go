package server

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
