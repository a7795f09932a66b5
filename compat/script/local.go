package script

import (
	"fmt"

	"scache/scached/cache"
)

// A store is what a script works on.
type store interface {
	saveEndpoint(ttl int, endpoint, property string, session int) error
	findEndpoint(endpoint string) (Result, error)
	saveDestination(ttl int, destination, property, endpoint string) error
	findDestination(destination string) (Result, error)
	expire(now int64)
	closeRemote(session int) error
	sayRemote(session int, text string) error
	close()
}

// A localStore is a cache in this process. Its sessions are numbers, no
// descriptors. Since the reference's driver has descriptors of those numbers,
// a script sees when a number is closed that is not open any more.
type localStore struct {
	runner *runner
	cache  cache.Cache
	open   map[int]bool
	ended  map[int]bool // the remote end has hung up or spoken
	single bool
	saved  string // endpoint of the last session, for Single
}

func newLocalStore(r *runner, create func(cache.Options) cache.Cache) *localStore {
	s := &localStore{runner: r, open: make(map[int]bool), ended: make(map[int]bool)}
	s.cache = create(cache.Options{Now: r.clock.now(), Close: s.closeSession, Fit: s.fit, Trace: s.trace})
	_, s.single = s.cache.(*cache.Single)
	return s
}

func (s *localStore) trace(text []byte) {
	if s.runner.verbose {
		s.runner.out.log("", text)
	}
}

func (s *localStore) closeSession(c cache.Closed) {
	switch {
	case s.open[c.Session]:
		delete(s.open, c.Session)
	case s.single:
		s.runner.out.logf("warning: ", "close session endpoint %s: Bad file descriptor", s.saved)
	default:
		s.runner.out.logf("warning: ", "scache_multi_drop_endp: close(%d): Bad file descriptor", c.Session)
	}
}

// fit is what a server sees when it looks at a session.
func (s *localStore) fit(session int) bool { return !s.ended[session] }

func (s *localStore) closeRemote(session int) error {
	if !s.open[session] {
		return fmt.Errorf("no session %d", session)
	}
	s.ended[session] = true
	return nil
}

func (s *localStore) sayRemote(session int, _ string) error { return s.closeRemote(session) }

func (s *localStore) saveEndpoint(ttl int, endpoint, property string, session int) error {
	s.open[session] = true
	delete(s.ended, session)
	s.cache.SaveEndpoint(ttl, []byte(endpoint), []byte(property), session)
	s.saved = endpoint
	return nil
}

func (s *localStore) saveDestination(ttl int, destination, property, endpoint string) error {
	s.cache.SaveDestination(ttl, []byte(destination), []byte(property), []byte(endpoint))
	return nil
}

func (s *localStore) findEndpoint(endpoint string) (Result, error) {
	found, ok := s.cache.FindEndpoint([]byte(endpoint))
	if !ok {
		return Result{}, nil
	}
	delete(s.open, found.Session)
	return Result{Found: true, Session: found.Session, EndpProperty: string(found.Property)}, nil
}

func (s *localStore) findDestination(destination string) (Result, error) {
	found, ok := s.cache.FindDestination([]byte(destination))
	if !ok {
		return Result{}, nil
	}
	delete(s.open, found.Session)
	return Result{Found: true, Session: found.Session,
		DestProperty: string(found.DestinationProperty), EndpProperty: string(found.Property)}, nil
}

func (s *localStore) expire(now int64) { s.cache.Expire(now) }

func (s *localStore) close() { s.cache.Close() }
