package protocol

import (
	"time"

	"scache/scached/cache"
)

// Config is what a [Service] is made of.
type Config struct {
	Name        string // in master.cf; messages call a client "NAME socket"
	Dialect     Dialect
	TTLLimit    int // seconds; a longer ttl is cut to this
	StringLimit int // bytes of a name or value, 0 for any
	Verbose     bool
	Log         Logger
	// Flooded, if set, tells that there are more warnings than can be logged. A
	// client that sends nothing but malformed requests is then disconnected.
	Flooded func() bool
	// Close takes ownership of a descriptor that is no longer wanted.
	Close func(fd int)
	// Quit, if set, is called instead for a session of smtp(8) that ends in the
	// cache before its time as a connection, and takes ownership of its descriptor:
	// if its remote end still serves it, it is to be sent QUIT before it is closed.
	Quit func(fd int)
	// Live tells whether a session is fit to be handed out; it borrows the
	// descriptor. Without it every session is.
	Live   func(fd int) bool
	Limits cache.Limits
	Now    int64 // the time in seconds, see cache.Options
	// Control allows the requests of an administrator, see control.go. Without it
	// they are unknown ones, as they are for the reference.
	Control bool
	// About, if set, is what the server tells about itself when it is asked for
	// its status: version, process id, clients, and so on.
	About func() []Attribute
	// NameSpaces make transports share their sessions.
	NameSpaces []NameSpace
}

// A Service is a connection cache and what its clients share. It is used from
// one goroutine.
type Service struct {
	Config
	Cache    *cache.Multi
	Counters Counters

	transports transports
	page       []byte // of a listing
	labels     []byte // of the request that is carried out, in their name space
	start      time.Time
	statistics statistics
	stream     string // what messages call a client
	wrongSaid  bool   // a warning about the dialect was logged
	wrongAt    int64  // then, in seconds
}

// NewService returns a service with an empty cache. Its statistics begin at
// start.
func NewService(config Config, start time.Time) *Service {
	s := &Service{Config: config, stream: config.Name + " socket", start: start}
	s.statistics.start = start
	s.transports.open()
	options := cache.Options{
		Close: s.end, Fit: s.fit, Now: config.Now, Limits: config.Limits,
	}
	if config.Verbose {
		options.Trace = func(text []byte) { config.Log.Info(string(text)) }
	}
	s.Cache = cache.NewMulti(options)
	return s
}

// Forget gives up all sessions and bindings, and those that are saved later,
// and has nothing to say about it.
func (s *Service) Forget() {
	s.Cache.Silence()
	s.Cache.Close()
	s.Live = func(int) bool { return false }
}

// end ends a session that is dropped from the cache.
func (s *Service) end(c cache.Closed) {
	s.Counters.SessionsClosed[c.Reason]++
	s.transports.of(c.Tag).sessions--
	switch c.Reason {
	case cache.Expired:
		s.Counters.AgeExpired.add(c.Age)
	case cache.Dead:
		s.Counters.AgeDead.add(c.Age)
	}
	if s.Quit != nil && endsWithQuit(&c) {
		s.Quit(c.Session)
	} else {
		s.Close(c.Session)
	}
}

// fit tells whether a session can be handed out.
func (s *Service) fit(session int) bool {
	fit := s.Live == nil || s.Live(session)
	if !fit && s.Verbose {
		s.Log.Info("skipping a session that the remote end has ended")
	}
	return fit
}
