package cache

// slots is the number of seconds that a wheel looks ahead, a power of two. A
// longer ttl is allowed; such an item is passed over once in a round.
const slots = 1 << 12

// A wheel keeps items by the second in which they are due, in the order in
// which their timers were set. To set, to reset and to stop a timer costs the
// same however many there are.
type wheel struct {
	now   int64 // everything that was due before is gone
	count int
	slot  [slots]queue
	// Nothing is due before this time, unless the wheel is empty.
	earliest int64
}

// set starts or restarts the timer of an item, ttl seconds from now.
func (w *wheel) set(i *item, ttl int) {
	w.stop(i)
	i.due, i.timed = w.now+int64(ttl), true
	w.slot[i.due%slots].push(byTime, i)
	if w.count == 0 || i.due < w.earliest {
		w.earliest = i.due
	}
	w.count++
}

// due is a time before which nothing is due. It is in the future, and often the
// time at which something is. It reports false when there is nothing.
func (w *wheel) due() (earliest int64, ok bool) {
	if w.count == 0 {
		return 0, false
	}
	if w.earliest <= w.now {
		w.earliest = w.now + 1
		for w.slot[w.earliest%slots].first == nil {
			w.earliest++
		}
	}
	return w.earliest, true
}

// stop ends the timer of an item, if it has one.
func (w *wheel) stop(i *item) {
	if i.timed {
		w.slot[i.due%slots].remove(byTime, i)
		i.timed = false
		w.count--
	}
}

// advance moves the time on to now and calls expire, which stops the timer,
// for each item that is due, in order. Time does not go back.
func (w *wheel) advance(now int64, expire func(*item)) {
	for {
		for i := w.slot[w.now%slots].first; i != nil; {
			next := i.links[byTime].next
			if i.due <= w.now {
				expire(i)
			}
			i = next
		}
		if w.now >= now {
			return
		}
		if w.count == 0 {
			w.now = now
			return
		}
		w.now++
	}
}
