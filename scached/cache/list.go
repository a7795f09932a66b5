package cache

// A Kind is one of the two kinds of items.
type Kind uint8

const (
	Sessions Kind = iota
	Bindings
)

// An Entry describes an item. The texts are lent until the next call that
// changes the cache, and the descriptor is only shown.
type Entry struct {
	Sequence  uint64 // counts saves; a later one is higher
	Label     []byte // of a session its endpoint, of a binding its destination
	Property  []byte
	Endpoint  []byte // of a binding
	Session   int    // the descriptor, -1 for a binding
	Age, Left int64  // seconds since it was saved, and until it is due
	Tag       uint8  // see Multi
}

func (m *Multi) entry(i *item) Entry {
	return Entry{Sequence: i.sequence, Label: i.list.label, Property: i.property(), Endpoint: i.endpoint(),
		Session: i.session, Age: m.wheel.now - i.saved, Left: i.due - m.wheel.now, Tag: i.tag}
}

func (m *Multi) pool(kind Kind) *pool {
	if kind == Bindings {
		return &m.bindings
	}
	return &m.sessions
}

// List shows the items of a kind in the order in which they were saved, from
// the first one with a higher sequence number than after: at most so many of
// them, and no more once show returns false, for an item that does not count as
// shown then. It returns the sequence number after which to go on, and whether
// there is anything left. So an item that stays in the cache is shown exactly
// once, whatever comes and goes between two calls.
func (m *Multi) List(kind Kind, after uint64, most int, show func(*Entry) bool) (last uint64, more bool) {
	last = after
	for p := m.pool(kind).journal.after(after); p.block != nil; p = p.next() {
		i := p.item()
		entry := m.entry(i)
		if most == 0 || !show(&entry) {
			return last, true
		}
		last = i.sequence
		most--
	}
	return last, false
}

// Flush drops the items of a kind that match, in the order of [Multi.List]; with
// follow also the sessions of the endpoints to which bindings that match lead.
// It looks at most at so many items, until match says to stop after this one,
// and about as many go at most. It returns how many went of each kind, and the
// rest as List does.
func (m *Multi) Flush(kind Kind, after uint64, most int, match func(*Entry) (matches, stop bool), follow bool) (bindings, sessions int, last uint64, more bool) {
	m.flushing = m.flushing[:0] // what goes cannot go while the journal is read
	last = after
	for p := m.pool(kind).journal.after(after); p.block != nil; p = p.next() {
		i := p.item()
		entry := m.entry(i)
		if most--; most < 0 {
			more = true
			break
		}
		matches, stop := match(&entry)
		if matches {
			if follow && kind == Bindings {
				n, all := m.flushEndpoint(i, most)
				sessions += n
				if most -= n; !all {
					more = true
					break
				}
			}
			m.flushing = append(m.flushing, i)
		}
		last = i.sequence
		if stop {
			more = true
			break
		}
	}
	for _, i := range m.flushing {
		m.drop(i, Flushed)
	}
	if kind == Bindings {
		return len(m.flushing), sessions, last, more
	}
	return 0, len(m.flushing), last, more
}

// flushEndpoint drops sessions of a binding's endpoint, at most so many. It
// tells whether that was all of them.
func (m *Multi) flushEndpoint(binding *item, most int) (sessions int, all bool) {
	l := m.sessions.table.find(binding.endpoint(), binding.hash)
	if l == nil {
		return 0, true
	}
	length := l.length
	for sessions < min(length, most) {
		m.drop(l.items.first, Flushed)
		sessions++
	}
	return sessions, sessions == length
}
