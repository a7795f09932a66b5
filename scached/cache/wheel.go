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
}

// set starts or restarts the timer of an item, ttl seconds from now.
func (w *wheel) set(i *item, ttl int) {
	w.stop(i)
	i.due, i.timed = w.now+int64(ttl), true
	w.slot[i.due%slots].push(byTime, i)
	w.count++
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
