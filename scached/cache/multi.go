package cache

// Multi is the cache of the server: any number of sessions under each
// endpoint, and of bindings under each destination. Use [NewMulti].
type Multi struct {
	Memory  Memory  // the user counts conversations in it
	Dropped Dropped // so far
	// Tag is the user's mark of what is saved from now on.
	Tag uint8

	options  Options
	sessions pool // under their endpoints
	bindings pool // under their destinations
	sequence uint64
	wheel    wheel
	expire   func(*item) // drops it; made once
	free     *item
	flushing []*item
	line     []byte
}

// NewMulti returns an empty cache.
func NewMulti(options Options) *Multi {
	m := &Multi{options: options}
	m.Memory.Limit = options.Limits.Memory
	m.sessions.memory, m.bindings.memory = &m.Memory.Sessions, &m.Memory.Bindings
	for _, p := range []*pool{&m.sessions, &m.bindings} {
		p.table = newTable(p.memory, &m.Memory.Spare)
	}
	m.wheel.now = options.Now
	m.expire = func(i *item) { m.drop(i, Expired) }
	return m
}

// SaveEndpoint takes ownership of the descriptor session, which serves the
// endpoint for at most ttl seconds. Saving the same endpoint again adds a
// session.
func (m *Multi) SaveEndpoint(ttl int, endpoint, property []byte, session int) {
	i := m.newItem(property, nil)
	i.session = session
	m.insert(&m.sessions, m.sessions.table.enter(endpoint), i, ttl)
	if m.options.Trace != nil {
		m.trace("scache_multi_save_endp: endp_label=", endpoint, " -> endp_prop=", property, " fd=", session)
	}
	m.limit(i)
}

// FindEndpoint takes the oldest session of an endpoint out of the cache.
func (m *Multi) FindEndpoint(endpoint []byte) (found Found, ok bool) {
	looks := mostLooks
	return m.findEndpoint(endpoint, m.sessions.table.hash(endpoint), &looks)
}

// mostLooks is how many sessions a lookup finds not to be fit, at most. When a
// server ends thousands of them at once, no request has to close them all. That
// it then finds nothing costs its client one new connection, and the next
// lookup goes on from there.
const mostLooks = 100

func (m *Multi) findEndpoint(endpoint []byte, hash uint64, looks *int) (found Found, ok bool) {
	l := m.sessions.table.find(endpoint, hash)
	if l == nil {
		if m.options.Trace != nil {
			m.trace("scache_multi_find_endp: no endpoint cache: endp_label=", endpoint)
		}
		return Found{}, false
	}
	for length := l.length; length > 0 && *looks > 0; length-- {
		i := l.items.first
		if m.options.Fit == nil || m.options.Fit(i.session) {
			return m.take(i), true
		}
		*looks--
		m.drop(i, Dead) // the last one takes the list with it
	}
	return Found{}, false
}

// take takes a session out of the cache, for its user.
func (m *Multi) take(i *item) Found {
	found := Found{Session: i.session, Property: i.property(), Age: m.wheel.now - i.saved, Tag: i.tag}
	if m.options.Trace != nil {
		m.trace("scache_multi_find_endp: found: endp_label=", i.list.label, " -> endp_prop=", i.property(), " fd=", i.session)
	}
	i.session = -1
	m.drop(i, Taken)
	return found
}

// SaveDestination binds an endpoint to a destination for ttl seconds. Saving
// the same destination, property and endpoint again only sets the ttl anew.
func (m *Multi) SaveDestination(ttl int, destination, property, endpoint []byte) (refreshed bool) {
	l := m.bindings.table.enter(destination)
	hash := m.sessions.table.hash(endpoint)
	i := l.items.first
	for i != nil && !i.same(property, endpoint, hash) {
		i = i.links[byLabel].next
	}
	note := ""
	if i == nil {
		i = m.newItem(property, endpoint)
		i.session, i.binding, i.hash = -1, true, hash
		m.insert(&m.bindings, l, i, ttl)
	} else {
		m.wheel.set(i, ttl)
		m.bindings.use(i)
		refreshed, note = true, " (refreshed)"
	}
	if m.options.Trace != nil {
		m.trace("scache_multi_save_dest: dest_label=", destination, " -> dest_prop=", property, " endp_label=", endpoint, note)
	}
	m.limit(i)
	return refreshed
}

// FindDestination takes the oldest session of the first endpoint of a
// destination that has any; the binding stays.
func (m *Multi) FindDestination(destination []byte) (found Found, ok bool) {
	bindings := m.bindings.table
	l := bindings.find(destination, bindings.hash(destination))
	if l == nil {
		if m.options.Trace != nil {
			m.trace("scache_multi_find_dest: no destination cache: dest_label=", destination)
		}
		return Found{}, false
	}
	looks := mostLooks
	for i := l.items.first; i != nil; i = i.links[byLabel].next {
		if found, ok = m.findEndpoint(i.endpoint(), i.hash, &looks); ok {
			found.DestinationProperty, found.Bound = i.property(), true
			m.bindings.use(i)
			return found, true
		}
	}
	if m.options.Trace != nil {
		m.trace("scache_multi_find_dest: not found: dest_label=", destination)
	}
	return Found{Bound: true}, false
}

// Expire drops what is due at time now, in seconds, and makes now the time at
// which a ttl begins. A time before that of the last call counts as that.
func (m *Multi) Expire(now int64) { m.wheel.advance(now, m.expire) }

// Now is the time at which a ttl begins, in seconds.
func (m *Multi) Now() int64 { return m.wheel.now }

// Due is a time, in seconds, before which Expire has nothing to do. It is later
// than Now. It reports false when the cache is empty.
func (m *Multi) Due() (seconds int64, ok bool) { return m.wheel.due() }

// Size counts what the cache holds.
func (m *Multi) Size() Size {
	return Size{Destinations: m.bindings.table.used, Endpoints: m.sessions.table.used,
		Bindings: m.bindings.count, Sessions: m.sessions.count}
}

// Silence ends the tracing.
func (m *Multi) Silence() { m.options.Trace = nil }

// Close drops everything, the bindings first.
func (m *Multi) Close() {
	for _, p := range []*pool{&m.bindings, &m.sessions} {
		for p.count > 0 {
			l := p.journal.after(0).item().list
			for n := l.length; n > 0; n-- {
				m.drop(l.items.first, Shutdown)
			}
		}
	}
}

func (m *Multi) insert(p *pool, l *list, i *item, ttl int) {
	m.sequence++
	i.sequence, i.saved, i.tag = m.sequence, m.wheel.now, m.Tag
	p.enter(i, l)
	m.wheel.set(i, ttl)
}

// drop takes an item out of the cache, for whatever reason.
func (m *Multi) drop(i *item, why Reason) {
	p := &m.sessions
	if i.binding {
		p = &m.bindings
	}
	if m.options.Trace != nil {
		if i.binding {
			m.trace("scache_multi_drop_dest: dest_prop=", i.property(), " endp_label=", i.endpoint())
		} else {
			m.trace("scache_multi_drop_endp: endp_prop=", i.property(), " fd=", i.session)
		}
	}
	m.wheel.stop(i)
	p.leave(i)
	if i.session >= 0 {
		m.options.Close(Closed{Session: i.session, Property: i.property(), Age: m.wheel.now - i.saved, Tag: i.tag, Reason: why})
	}
	i.text = reusable(i.text)
	i.links[byLabel].next, m.free = m.free, i
	m.Memory.Spare += i.memory()
}

func (m *Multi) newItem(property, endpoint []byte) *item {
	i := m.free
	if i == nil {
		i = new(item)
	} else {
		m.free = i.links[byLabel].next
		i.links[byLabel].next = nil
		m.Memory.Spare -= i.memory()
	}
	if size := len(property) + len(endpoint); size > cap(i.text) {
		i.text = make([]byte, 0, size)
	}
	i.text = append(append(i.text[:0], property...), endpoint...)
	i.split, i.binding = len(property), false
	return i
}

func (m *Multi) trace(parts ...any) {
	m.line = appendParts(m.line[:0], parts)
	m.options.Trace(m.line)
}
