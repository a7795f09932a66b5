// Package cache keeps open sessions for a short time, to be found by
// destination or by endpoint.
//
// A session is an open connection, known by its file descriptor, that serves
// one endpoint: a server's address and port. A binding says that a destination,
// such as a mail domain, is served by an endpoint. Both carry properties, which
// are opaque here, and a ttl after which they go. Start with [NewMulti], which
// is what the server uses; [NewSingle] holds one session and one binding.
//
// A cache does not look at the clock or at a descriptor on its own: its user
// calls Expire with the time, in whole seconds, before each burst of requests,
// and closes what the cache drops. It makes no system call, is used from
// one goroutine, and allocates nothing once it has held as much as it is to
// hold.
//
// The behaviour is that of src/global/scache_multi.c and scache_single.c in
// Postfix, and of the timers in src/util/events.c. Unlike there, the cost of
// an operation does not depend on how much is cached: it is bounded by
// [Limits], in items and in bytes.
package cache

// Size counts what a cache holds: destinations and endpoints that have at
// least one item under them, bindings and sessions.
type Size struct {
	Destinations, Endpoints, Bindings, Sessions int
}

// Options are what a cache needs of its user.
type Options struct {
	// Close takes ownership of the descriptor of a session that the cache
	// drops.
	Close func(Closed)
	// Fit, when set, tells whether a session is fit to be found; it borrows the
	// descriptor. One that is not is dropped, and the next one is tried.
	Fit func(session int) bool
	// Trace, when set, is given a line of text for each step, in the
	// reference's words. The text is borrowed and may hold any bytes.
	Trace func(text []byte)
	// Now is the time of the last Expire, and so the time at which a ttl
	// begins, in seconds.
	Now int64
	// Limits are those of Multi. Single has none.
	Limits Limits
}

// Closed is a session that the cache has dropped.
type Closed struct {
	Session  int    // its descriptor
	Property []byte // lent until Close returns
	Age      int64  // seconds since it was saved
	Tag      uint8  // see Multi
	Reason   Reason
}

// A Reason is why a session is dropped.
type Reason uint8

const (
	Expired  Reason = iota // its ttl is over
	Dead                   // it was not fit to be found
	Limited                // a limit was exceeded
	Shortage               // the user needs descriptors
	Flushed                // the user wants it
	Shutdown               // the cache was closed
	Taken                  // it was found; then it is not for the cache to close
)

// Found is what a lookup gives. The texts are lent by the cache until the next
// call that changes it.
type Found struct {
	Session             int    // its descriptor, which passes to the caller
	Property            []byte // what was saved with it
	DestinationProperty []byte // of the binding, when a destination was looked up
	Age                 int64  // seconds since it was saved; of Multi only
	Tag                 uint8  // see Multi
	Bound               bool   // of Multi: the destination has a binding, even if nothing was found
}

// Cache is what Multi and Single have in common. The text of a parameter is
// borrowed.
type Cache interface {
	SaveEndpoint(ttl int, endpoint, property []byte, session int)
	FindEndpoint(endpoint []byte) (found Found, ok bool)
	SaveDestination(ttl int, destination, property, endpoint []byte) (refreshed bool)
	FindDestination(destination []byte) (found Found, ok bool)
	Expire(now int64)
	Size() Size
	Close()
}
