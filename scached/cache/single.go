package cache

// Single is a cache for one session and one binding; saving another replaces
// it. smtp(8) has no use for it, scripts do. Use [NewSingle].
type Single struct {
	options  Options
	now      int64
	sequence int
	endpoint single
	binding  single
	line     []byte
}

// A single is the one session, or the one binding.
type single struct {
	held     bool
	due      int64 // in seconds
	sequence int   // which timer was set first
	label    string
	property string
	endpoint string // of a binding
	session  int    // of an endpoint
}

// NewSingle returns an empty cache. It ignores the limits.
func NewSingle(options Options) *Single {
	return &Single{options: options, now: options.Now}
}

// SaveEndpoint is like [Multi.SaveEndpoint], and drops the SMTP session that was
// there.
func (s *Single) SaveEndpoint(ttl int, endpoint, property []byte, session int) {
	if s.endpoint.held {
		s.dropEndpoint(Limited)
	}
	s.endpoint = single{held: true, label: string(endpoint), property: string(property), session: session}
	s.setTimer(&s.endpoint, ttl)
	s.trace("scache_single_save_endp: ", endpoint, " fd=", session)
}

// FindEndpoint is like [Multi.FindEndpoint].
func (s *Single) FindEndpoint(endpoint []byte) (found Found, ok bool) {
	switch e := &s.endpoint; {
	case !e.held:
		s.trace("scache_single_find_endp: no endpoint cache: ", endpoint)
	case e.label != string(endpoint):
		s.trace("scache_single_find_endp: not found: ", endpoint)
	case s.options.Fit != nil && !s.options.Fit(e.session):
		s.dropEndpoint(Dead)
		s.trace("scache_single_find_endp: not found: ", endpoint)
	default:
		found = Found{Session: e.session, Property: []byte(e.property)}
		e.session = -1
		s.dropEndpoint(Taken)
		s.trace("scache_single_find_endp: found: ", endpoint, " fd=", found.Session)
		return found, true
	}
	return Found{}, false
}

// SaveDestination is like [Multi.SaveDestination], and drops the binding that
// was there.
func (s *Single) SaveDestination(ttl int, destination, property, endpoint []byte) (refreshed bool) {
	fresh := single{held: true, label: string(destination), property: string(property), endpoint: string(endpoint)}
	note := ""
	if b := s.binding; b.held && b.label == fresh.label && b.property == fresh.property && b.endpoint == fresh.endpoint {
		refreshed, note = true, " (refreshed)"
	}
	s.binding = fresh
	s.setTimer(&s.binding, ttl)
	s.trace("scache_single_save_dest: ", destination, " -> ", endpoint, note)
	return refreshed
}

// FindDestination is like [Multi.FindDestination].
func (s *Single) FindDestination(destination []byte) (found Found, ok bool) {
	b := &s.binding
	if !b.held {
		s.trace("scache_single_find_dest: no destination cache: ", destination)
		return Found{}, false
	}
	if b.label == string(destination) {
		s.trace("scache_single_find_dest: found: ", destination)
		if found, ok = s.FindEndpoint([]byte(b.endpoint)); ok {
			found.DestinationProperty = []byte(b.property)
			return found, true
		}
	}
	s.trace("scache_single_find_dest: not found: ", destination)
	return Found{}, false
}

// Expire is like [Multi.Expire].
func (s *Single) Expire(now int64) {
	s.now = max(s.now, now)
	endpoint := s.endpoint.held && s.endpoint.due <= s.now
	binding := s.binding.held && s.binding.due <= s.now
	if endpoint && binding && s.binding.before(&s.endpoint) {
		s.dropBinding()
		binding = false
	}
	if endpoint {
		s.dropEndpoint(Expired)
	}
	if binding {
		s.dropBinding()
	}
}

// Size counts what the cache holds.
func (s *Single) Size() (size Size) {
	if s.binding.held {
		size.Destinations, size.Bindings = 1, 1
	}
	if s.endpoint.held {
		size.Endpoints, size.Sessions = 1, 1
	}
	return size
}

// Close drops everything, the SMTP session first.
func (s *Single) Close() {
	if s.endpoint.held {
		s.dropEndpoint(Shutdown)
	}
	if s.binding.held {
		s.dropBinding()
	}
}

func (s *Single) setTimer(e *single, ttl int) {
	s.sequence++
	e.due, e.sequence = s.now+int64(ttl), s.sequence
}

// before tells whether the timer of e goes off before that of other.
func (e *single) before(other *single) bool {
	return e.due < other.due || e.due == other.due && e.sequence < other.sequence
}

func (s *Single) dropEndpoint(why Reason) {
	s.trace("scache_single_free_endp: ", s.endpoint.label)
	if s.endpoint.session >= 0 {
		s.options.Close(Closed{Session: s.endpoint.session, Property: []byte(s.endpoint.property), Reason: why})
	}
	s.endpoint = single{}
}

func (s *Single) dropBinding() {
	s.trace("scache_single_free_dest: ", s.binding.label, " -> ", s.binding.endpoint)
	s.binding = single{}
}

func (s *Single) trace(parts ...any) {
	if s.options.Trace != nil {
		s.line = appendParts(s.line[:0], parts)
		s.options.Trace(s.line)
	}
}
