package wire

import "strings"

// Property is what sessions and bindings of [SaveEndpoint] and
// [SaveDestination] are saved with.
const Property = "p"

// What a daemon says in the current dialect.
var (
	Greeting = List("protocol", "connection_cache_protocol")
	Dummy    = List("dummy", "") // go on; clients say it, too
	Done     = List("status", "0")
	Bad      = List("status", "1") // a malformed request
	Failed   = List("status", "2") // no descriptor came

	// The answers to a lookup by endpoint and by destination.
	Found    = List("status", "0", "property", Property)
	Missed   = List("status", "2", "property", "")
	FoundBy  = List("status", "0", "property", Property, "property", Property)
	MissedBy = List("status", "2", "property", "", "property", "")
)

// List is a list of attributes, of names and values in turn
// (src/util/attr_print0.c).
func List(words ...string) string {
	return strings.Join(words, "\x00") + "\x00\x00"
}

// SaveEndpoint is the request to save a session; ttl is in seconds. The
// descriptor follows when the daemon has said [Dummy].
func SaveEndpoint(endpoint, ttl string) string {
	return List("request", "save_endp", "ttl", ttl, "label", endpoint, "property", Property)
}

// SaveDestination is the request to save a binding; ttl is in seconds.
func SaveDestination(destination, ttl, endpoint string) string {
	return List("request", "save_dest", "ttl", ttl, "label", destination, "property", Property, "label", endpoint)
}

// FindEndpoint is the request for a session of an endpoint.
func FindEndpoint(endpoint string) string {
	return List("request", "find_endp", "label", endpoint)
}

// FindDestination is the request for a session that serves a destination.
func FindDestination(destination string) string {
	return List("request", "find_dest", "label", destination)
}
