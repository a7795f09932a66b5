package simulate

import (
	"slices"
	"strings"
	"time"
)

// A sessionState is where a session is, as the model has it.
type sessionState uint8

const (
	stray    sessionState = iota // it has come, and nobody has asked for it yet, or ever
	wild                         // it came from a client that does as it likes
	cached                       // it was saved
	promised                     // a client was told of it
	over                         // it was handed over, or that has failed
	dropped                      // it is to be closed
	quitting                     // it was sent QUIT, or is to be
)

// A session is one that the server has a descriptor of.
type session struct {
	number          int
	state           sessionState
	fd              int
	file            *file
	label, property string
	saved, due, ttl int64 // a time, and seconds
	why             reason
	failed          bool // its hand-over has
	droppedAt       int64
}

// A binding leads from a destination to an endpoint.
type binding struct {
	destination, property, endpoint string
	due, used                       int64
}

// A reason is why a session is dropped.
type reason uint8

const (
	expired reason = iota
	dead
	limited
	shortage
	flushed
	shutdown
	reasons
)

var reasonNames = [reasons]string{"expired", "dead", "limit", "shortage", "flushed", "shutdown"}

// counts are what the model counts, as the server should.
type counts struct {
	saved, bindings, refreshed int
	handed, failed             int
	closed                     [reasons]int
	hits, misses               [2]int // of destinations, of endpoints
	clients                    int
	quits                      int // that were answered
}

const (
	destinations = 0
	endpoints    = 1
)

// A model is what the cache has to hold, according to scache(8) and its limits.
// Where the server may have given something up because of a shortage, it follows
// the server, and is relaxed.
type model struct {
	w        *world
	sessions []*session // in the order in which they were saved
	bindings []*binding // likewise
	dropped  []*session // not closed yet
	quitting []*session // likewise
	ahead    int64      // of the wall clock, at most so far
	saves    int
	uses     int64
	relaxed  bool
	ending   bool
	endedAt  int64
	counts   counts
}

func (m *model) open(w *world) { m.w, m.relaxed = w, w.plan.short }

// seconds is the time that the cache knows: it begins its seconds when the wall
// clock does, and is never set back.
func (m *model) seconds() int64 {
	return (epoch.UnixNano() + m.w.turn.start + m.ahead) / second
}

// tick begins a turn.
func (m *model) tick() {
	m.ahead = max(m.ahead, m.w.ahead)
	now := m.seconds()
	for _, s := range slices.Clone(m.sessions) {
		if age := m.w.turn.start - s.saved; age > s.ttl*second+lateTime {
			m.w.fail("%v is there after %v", s, time.Duration(age))
		}
		if s.due <= now {
			m.drop(s, expired)
		}
	}
	m.bindings = slices.DeleteFunc(m.bindings, func(b *binding) bool { return b.due <= now })
}

// due is when a ttl that begins now is over, in seconds.
func (m *model) due(ttl int) int64 { return m.seconds() + int64(min(ttl, m.w.plan.ttlLimit)) }

// space is a label in its name space.
func (m *model) space(label string) string {
	name, rest, ok := strings.Cut(label, "\n")
	for _, space := range m.w.plan.spaces {
		if ok && space.Transport == name {
			return space.Space + "\n" + rest
		}
	}
	return label
}

func (m *model) saveSession(s *session, ttl int, label, property string) {
	m.saves++
	s.number, s.state, s.label, s.property = m.saves, cached, m.space(label), property
	s.file = m.w.table[s.fd].file
	s.saved, s.due, s.ttl = m.w.turn.start, m.due(ttl), int64(min(ttl, m.w.plan.ttlLimit))
	m.sessions = append(m.sessions, s)
	m.counts.saved++
	if m.relaxed {
		return
	}
	if same := m.of(s.label); len(same) > m.w.plan.limits.EndpointSessions {
		m.drop(same[0], limited)
	}
	if len(m.sessions) > m.w.plan.limits.Sessions {
		m.drop(m.sessions[0], limited)
	}
}

// of is the sessions of an endpoint, the oldest first.
func (m *model) of(label string) (same []*session) {
	for _, s := range m.sessions {
		if s.label == label {
			same = append(same, s)
		}
	}
	return same
}

func (m *model) drop(s *session, why reason) {
	s.state, s.why, s.droppedAt = dropped, why, m.w.now
	m.forgetSession(s)
	m.dropped = append(m.dropped, s)
	m.counts.closed[why]++
}

func (m *model) forgetSession(s *session) {
	i := slices.Index(m.sessions, s)
	m.sessions = slices.Delete(m.sessions, i, i+1)
}

func (m *model) saveBinding(ttl int, destination, property, endpoint string) {
	destination, endpoint = m.space(destination), m.space(endpoint)
	m.uses++
	for _, b := range m.bindings {
		if b.destination == destination && b.property == property && b.endpoint == endpoint {
			b.due, b.used = m.due(ttl), m.uses
			m.counts.refreshed++
			return
		}
	}
	m.counts.bindings++
	m.bindings = append(m.bindings, &binding{destination, property, endpoint, m.due(ttl), m.uses})
	if m.relaxed {
		return
	}
	m.limitBindings(m.w.plan.limits.DestinationBindings, func(b *binding) bool { return b.destination == destination })
	m.limitBindings(m.w.plan.limits.Bindings, func(*binding) bool { return true })
}

// limitBindings drops the one of some bindings that was not used for longest, when
// they are too many.
func (m *model) limitBindings(limit int, is func(*binding) bool) {
	n, oldest := 0, -1
	for i, b := range m.bindings {
		if is(b) {
			n++
			if oldest < 0 || b.used < m.bindings[oldest].used {
				oldest = i
			}
		}
	}
	if n > limit {
		m.bindings = slices.Delete(m.bindings, oldest, oldest+1)
	}
}

// findEndpoint takes the oldest session of an endpoint, nil if there is none.
func (m *model) findEndpoint(label string) *session {
	for _, s := range m.of(label) {
		if m.w.plan.live && s.file.kind != foreign && s.file.dead() {
			m.drop(s, dead)
			continue
		}
		m.forgetSession(s)
		s.state = promised
		return s
	}
	return nil
}

func (m *model) findDestination(label string) (*session, *binding) {
	for _, b := range m.bindings {
		if b.destination != label {
			continue
		}
		if s := m.findEndpoint(b.endpoint); s != nil {
			m.uses++
			b.used = m.uses
			return s, b
		}
	}
	return nil, nil
}

// named is the cached session with a property, which each has of its own.
func (m *model) named(property string) *session {
	for _, s := range m.sessions {
		if s.property == property {
			return s
		}
	}
	return nil
}

// flush drops what matches an endpoint or a destination, each a field of a label,
// and tells how much that is.
func (m *model) flush(destination, endpoint string, sessionsOnly bool) (sessions, bindings int) {
	if !sessionsOnly {
		follow := map[string]bool{}
		m.bindings = slices.DeleteFunc(m.bindings, func(b *binding) bool {
			if !hasField(b.destination, destination) || !hasField(b.endpoint, endpoint) {
				return false
			}
			follow[b.endpoint] = destination != ""
			bindings++
			return true
		})
		for _, s := range slices.Clone(m.sessions) {
			if follow[s.label] {
				m.drop(s, flushed)
				sessions++
			}
		}
		return sessions, bindings
	}
	for _, s := range slices.Clone(m.sessions) {
		if hasField(s.label, endpoint) {
			m.drop(s, flushed)
			sessions++
		}
	}
	return sessions, 0
}

func hasField(label, field string) bool {
	_, rest, _ := strings.Cut(label, "\n")
	return field == "" || slices.Contains(strings.Split(rest, "\n"), field)
}

// forget notes that the server has begun to end: nothing is kept any more.
func (m *model) forget() {
	if m.ending {
		return
	}
	if w := m.w; !w.toEnd && (w.now-w.lonely < w.plan.idle-turnTime || slices.ContainsFunc(w.talks, func(t *conversation) bool { return t != nil })) {
		w.fail("the server ends, and nobody has told it to")
	}
	m.ending, m.endedAt = true, m.w.now
	m.bindings = nil
	for len(m.sessions) > 0 {
		m.drop(m.sessions[0], shutdown)
	}
}

// closed notes that the server closes the descriptor of a session, or has it closed.
func (m *model) closed(d *descriptor) {
	s := d.session
	switch s.state {
	case cached:
		if !m.relaxed && !m.ending {
			m.w.fail("%v is closed, and nothing was wrong with it", s)
		}
		m.forgetSession(s)
		m.counts.closed[shortage]++
	case promised:
		m.w.fail("%v is closed, and was promised to a client", s)
	case dropped:
		if m.impolite(s) {
			m.w.fail("%v is closed without a QUIT", s)
		}
		m.forgetDropped(s)
	case quitting:
		m.quitting = slices.DeleteFunc(m.quitting, func(o *session) bool { return o == s })
	}
	s.state = over
}

func (m *model) forgetDropped(s *session) {
	m.dropped = slices.DeleteFunc(m.dropped, func(o *session) bool { return o == s })
}

// checkDropped looks whether what was dropped is closed.
func (m *model) checkDropped() {
	m.checkQuitting()
	for _, s := range m.dropped {
		if late := m.w.now - s.droppedAt; late > closeTime && !m.ending && !m.hung() {
			m.w.fail("%v was dropped (%s) %v ago, and is still open", s, reasonNames[s.why], time.Duration(late))
		}
	}
}

func (s *session) String() string {
	return strings.ReplaceAll("session "+s.property+" of "+s.label, "\n", "/")
}
