package cache

// An item is in several queues at a time.
type order uint8

const (
	byLabel    order = iota // under its label, in the order of saving
	byTime                  // due in the same second, in the order in which the timers were set
	byUse                   // all of its kind, the one not used for longest first
	byLabelUse              // of bindings: under its label, the one not used for longest first
	orders
)

type links struct{ prev, next *item }

// A queue is a doubly linked list through the items themselves.
type queue struct{ first, last *item }

func (q *queue) push(o order, i *item) {
	i.links[o] = links{prev: q.last}
	if q.last == nil {
		q.first = i
	} else {
		q.last.links[o].next = i
	}
	q.last = i
}

func (q *queue) remove(o order, i *item) {
	l := i.links[o]
	if l.prev == nil {
		q.first = l.next
	} else {
		l.prev.links[o].next = l.next
	}
	if l.next == nil {
		q.last = l.prev
	} else {
		l.next.links[o].prev = l.prev
	}
	i.links[o] = links{}
}

// renew makes an item the last one.
func (q *queue) renew(o order, i *item) {
	if q.last != i {
		q.remove(o, i)
		q.push(o, i)
	}
}
