package protocol

// In the wrong dialect nothing is reused, or not even delivered, and no program
// says why. There is no telling what a client speaks until it is too late to
// greet it, so the server does not guess. But some things only happen in the
// wrong dialect; then the log says so, once a minute at most.

// wrongInterval is how many seconds pass before the log says so again.
const wrongInterval = 60

// longSilence is after how many seconds a client that has said nothing waits for
// a greeting. One that does not connects only when it has something to say.
const longSilence = 2

// SpokeFirst tells that a client said something before it can have read the
// greeting: there were bytes from it before the greeting was written, or while
// the greeting was not read. Only a client of Postfix 3.5 or earlier does that.
func (s *Service) SpokeFirst() {
	if s.Dialect.Greets {
		s.wrongDialect("a client does not wait for the greeting", "Postfix 2.2 to 3.5", "2.3")
	}
}

// said looks at a conversation that ends: did the client say anything?
func (s *Service) said(c *Conn) {
	if c.silent && !c.duplex && !s.Dialect.Greets && s.Cache.Now()-c.opened >= longSilence {
		s.wrongDialect("a client said nothing, as if it waited for a greeting", "Postfix 3.6 and later", Dialects[0].Version)
	}
}

func (s *Service) wrongDialect(what, versions, version string) {
	now := s.Cache.Now()
	if s.wrongSaid && now-s.wrongAt < wrongInterval {
		return
	}
	s.wrongSaid, s.wrongAt = true, now
	s.Log.Warning(s.stream + ": " + what + "; clients of " + versions + " need scached_protocol_version = " + version)
}
