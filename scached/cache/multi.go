package cache

// Multi is the cache of the server: any number of sessions under each
// endpoint, and of bindings under each destination. Use [NewMulti].
type Multi struct {
	options      Options
	destinations *table // of bindings
	endpoints    *table // of sessions
	sessions     pool
	bindings     pool
	wheel        wheel
	expire       func(*item) // (*Multi).drop, made once
	free         *item
	line         []byte
	dropped      int
}

// An item is a session under its endpoint or a binding under its destination.
type item struct {
	links   [orders]links
	list    *list
	due     int64 // in seconds
	timed   bool
	session int // the descriptor, -1 when it has been given away
	binding bool
	// One block: the property, then with a binding the endpoint label.
	text  []byte
	split int
}

func (i *item) property() []byte { return i.text[:i.split] }
func (i *item) endpoint() []byte { return i.text[i.split:] }

// size is how many bytes of text an item in its list stands for; items under
// the same label count it again.
func (i *item) size() int { return len(i.text) + len(i.list.label) }

// A pool counts the sessions or the bindings.
type pool struct {
	queue
	count int
	bytes int // of text and labels
}

// NewMulti returns an empty cache.
func NewMulti(options Options) *Multi {
	m := &Multi{options: options, destinations: newTable(), endpoints: newTable()}
	m.wheel.now = options.Now
	m.expire = m.drop
	return m
}

// SaveEndpoint takes ownership of the descriptor session, which serves the
// endpoint for at most ttl seconds. Saving the same endpoint again adds a
// session.
func (m *Multi) SaveEndpoint(ttl int, endpoint, property []byte, session int) {
	i := m.newItem(property, nil)
	i.session, i.binding = session, false
	m.insert(&m.sessions, m.endpoints, m.endpoints.enter(endpoint), i, ttl)
	if m.options.Trace != nil {
		m.trace("scache_multi_save_endp: endp_label=", endpoint, " -> endp_prop=", property, " fd=", session)
	}
	m.limit(&m.sessions, m.options.Limits.Sessions)
	m.limitList(i.list, m.options.Limits.EndpointSessions)
}

// FindEndpoint takes the oldest session of an endpoint out of the cache.
func (m *Multi) FindEndpoint(endpoint []byte) (found Found, ok bool) {
	l := m.endpoints.find(endpoint)
	if l == nil {
		if m.options.Trace != nil {
			m.trace("scache_multi_find_endp: no endpoint cache: endp_label=", endpoint)
		}
		return Found{}, false
	}
	for length := l.length; length > 0; length-- {
		i := l.items.first
		if m.options.Fit == nil || m.options.Fit(i.session) {
			found = Found{Session: i.session, Property: i.property()}
			if m.options.Trace != nil {
				m.trace("scache_multi_find_endp: found: endp_label=", endpoint, " -> endp_prop=", i.property(), " fd=", i.session)
			}
			i.session = -1
			m.drop(i)
			return found, true
		}
		m.drop(i) // the last one takes the list with it
	}
	return Found{}, false
}

// SaveDestination binds an endpoint to a destination for ttl seconds. Saving
// the same destination, property and endpoint again only sets the ttl anew.
func (m *Multi) SaveDestination(ttl int, destination, property, endpoint []byte) {
	l := m.destinations.enter(destination)
	i := l.items.first
	for i != nil && (string(i.endpoint()) != string(endpoint) || string(i.property()) != string(property)) {
		i = i.links[byLabel].next
	}
	refreshed := ""
	if i == nil {
		i = m.newItem(property, endpoint)
		i.session, i.binding = -1, true
		m.insert(&m.bindings, m.destinations, l, i, ttl)
	} else {
		m.wheel.set(i, ttl)
		refreshed = " (refreshed)"
	}
	if m.options.Trace != nil {
		m.trace("scache_multi_save_dest: dest_label=", destination, " -> dest_prop=", property, " endp_label=", endpoint, refreshed)
	}
	m.limit(&m.bindings, m.options.Limits.Bindings)
	m.limitList(i.list, m.options.Limits.DestinationBindings)
}

// FindDestination takes the oldest session of the first endpoint of a
// destination that has any; the binding stays.
func (m *Multi) FindDestination(destination []byte) (found Found, ok bool) {
	l := m.destinations.find(destination)
	if l == nil {
		if m.options.Trace != nil {
			m.trace("scache_multi_find_dest: no destination cache: dest_label=", destination)
		}
		return Found{}, false
	}
	for i := l.items.first; i != nil; i = i.links[byLabel].next {
		if found, ok = m.FindEndpoint(i.endpoint()); ok {
			found.DestinationProperty = i.property()
			return found, true
		}
	}
	if m.options.Trace != nil {
		m.trace("scache_multi_find_dest: not found: dest_label=", destination)
	}
	return Found{}, false
}

// Expire drops what is due at time now, in seconds, and makes now the time at
// which a ttl begins. A time before that of the last call counts as that.
func (m *Multi) Expire(now int64) { m.wheel.advance(now, m.expire) }

// GiveUpSession drops the oldest session, to make room. It reports false when
// there is none.
func (m *Multi) GiveUpSession() bool {
	if m.sessions.first == nil {
		return false
	}
	m.giveUp(m.sessions.first)
	return true
}

// Dropped is how many items were given up before their time, to make room,
// since the last call.
func (m *Multi) Dropped() int {
	n := m.dropped
	m.dropped = 0
	return n
}

// Size counts what the cache holds.
func (m *Multi) Size() Size {
	return Size{Destinations: m.destinations.used, Endpoints: m.endpoints.used,
		Bindings: m.bindings.count, Sessions: m.sessions.count}
}

// Silence ends the tracing.
func (m *Multi) Silence() { m.options.Trace = nil }

// Close drops everything, the bindings first.
func (m *Multi) Close() {
	for _, p := range []*pool{&m.bindings, &m.sessions} {
		for p.first != nil {
			l := p.first.list
			for n := l.length; n > 0; n-- {
				m.drop(l.items.first)
			}
		}
	}
}

func (m *Multi) insert(p *pool, t *table, l *list, i *item, ttl int) {
	t.add(l, i)
	p.push(byAge, i)
	p.count++
	p.bytes += i.size()
	m.wheel.set(i, ttl)
}

// limit gives up the oldest items of a pool that has too many, or too much
// text. The newest one always stays.
func (m *Multi) limit(p *pool, most int) {
	for p.count > 1 && (most > 0 && p.count > most || m.options.Limits.Bytes > 0 && p.bytes > m.options.Limits.Bytes) {
		m.giveUp(p.first)
	}
}

// limitList gives up the oldest item of a list that has just got one more, unless
// that has already gone.
func (m *Multi) limitList(l *list, most int) {
	if l != nil && most > 0 && l.length > most {
		m.giveUp(l.items.first)
	}
}

func (m *Multi) giveUp(i *item) {
	m.dropped++
	m.drop(i)
}

// drop takes an item out of the cache, for whatever reason.
func (m *Multi) drop(i *item) {
	p, t := &m.sessions, m.endpoints
	if i.binding {
		p, t = &m.bindings, m.destinations
	}
	if m.options.Trace != nil {
		if i.binding {
			m.trace("scache_multi_drop_dest: dest_prop=", i.property(), " endp_label=", i.endpoint())
		} else {
			m.trace("scache_multi_drop_endp: endp_prop=", i.property(), " fd=", i.session)
		}
	}
	m.wheel.stop(i)
	p.remove(byAge, i)
	p.count--
	p.bytes -= i.size()
	t.remove(i)
	if i.session >= 0 {
		m.options.Close(i.session)
	}
	i.text = reusable(i.text)
	i.links[byLabel].next, m.free = m.free, i
}

func (m *Multi) newItem(property, endpoint []byte) *item {
	i := m.free
	if i == nil {
		i = new(item)
	} else {
		m.free = i.links[byLabel].next
		i.links[byLabel].next = nil
	}
	i.text = append(append(i.text[:0], property...), endpoint...)
	i.split = len(property)
	return i
}

func (m *Multi) trace(parts ...any) {
	m.line = appendParts(m.line[:0], parts)
	m.options.Trace(m.line)
}
