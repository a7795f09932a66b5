package protocol

import (
	"bytes"
	"strconv"

	"scache/attrproto"
	"scache/scached/cache"
)

// # Control requests
//
// With them an administrator looks into the cache. They come over the same
// socket and in the same encoding as the four requests of the reference, which
// answers them with status 1 and a warning, as any unknown request; so does this
// server when Config.Control is not set. A list of attributes a line; the names
// stand as they are sent, in this order.
//
//	client  request=scached_status
//	server  status=0 NAME=VALUE...
//
// The attributes after the status come in any order, and a client ignores the
// names that it does not know: what Config.About tells (version, pid, ...),
// dialect, start_time_seconds, and metrics. The name of a metric holds its labels
// in the text format of Prometheus, without the prefix scached_, as in
// lookups_total{kind="endpoint",result="hit"}; the value is a number, see
// [Counters].
//
//	client  request=scached_list what transport destination endpoint match cursor count
//	server  status=0 cursor entries ENTRY...
//
// What is sessions or bindings. Transport, destination and endpoint say which
// ones; one that is empty says nothing, and a session has no destination, so it
// has to be empty there. Match is exact or prefix: whether a field of the label
// is the text, or begins with it. Fields end in a newline; the first one, which
// is the name of the transport or of its name space, is none of a destination's
// or endpoint's. A label without a newline is one field. The transport is that which saved the entry, or its name space.
// The cursor is empty at first, and then that of the last answer; when it is
// empty there, that was the end. Count is how many entries may come, at most
// [MaxEntries]. The answer is not longer than [MaxAnswer] bytes. Entries are as many
// as the attribute entries says, none at all when nothing matches in the part
// of the cache that one request may look at. They come in the order in which
// they were saved; one that stays in the cache is listed exactly once, whatever
// comes and goes meanwhile. An entry is
//
//	sequence transport label property age left size alive     of a session
//	sequence transport label property endpoint age left size  of a binding
//
// sequence: counts saves; label: the endpoint of a session, the destination of a
// binding, in its name space; age, left: seconds since it was saved, and until
// it goes; size: bytes of label, property and endpoint, each of which is cut to
// [MaxText] bytes; alive: 1 if it would be handed out, else 0.
//
//	client  request=scached_flush transport destination endpoint match cursor
//	server  status=0 cursor sessions bindings
//
// Drops the bindings that match, and the sessions: with a destination those of
// the endpoints to which these bindings lead, without one those that match.
// Sessions and bindings are how many went. As with a list, one request does a
// part of it, and the cursor of the answer is for the next one.
//
// A status of 1 stands alone, and means that the parameters are not as they
// should be.
const (
	RequestStatus = "scached_status"
	RequestList   = "scached_list"
	RequestFlush  = "scached_flush"

	WhatSessions = "sessions"
	WhatBindings = "bindings"
	MatchExact   = "exact"
	MatchPrefix  = "prefix"
)

// Limits of an answer, and of what one request looks at.
const (
	MaxEntries = 100
	MaxAnswer  = 64 << 10
	MaxText    = 4 << 10

	// What one request does takes well below a tenth of a millisecond, in which
	// nobody else is served.
	mostEntries = 200      // that one request looks at
	mostBytes   = 32 << 10 // of their labels
	pageBytes   = 3 << 10  // after which an answer has no more entries
)

// An Attribute is a name and its value.
type Attribute struct{ Name, Value string }

var (
	wantFlush = []attrproto.Want{{Name: "transport"}, {Name: "destination"}, {Name: "endpoint"}, {Name: "match"}, {Name: "cursor"}}
	wantList  = append(append([]attrproto.Want{{Name: "what"}}, wantFlush...), attrproto.Want{Type: attrproto.TypeInt, Name: "count"})
)

// A filter says which entries are meant.
type filter struct {
	transport, destination, endpoint []byte // empty for any
	prefix                           bool
	looks                            int // bytes of labels that may still be looked at
}

// filter reads the four values of a request from the i'th on.
func (c *Conn) filter(list []byte, i int) (f filter, ok bool) {
	f = filter{transport: c.scan.Bytes(list, i), destination: c.scan.Bytes(list, i+1), endpoint: c.scan.Bytes(list, i+2), looks: mostBytes}
	match := c.scan.Bytes(list, i+3)
	f.prefix = string(match) == MatchPrefix
	return f, f.prefix || string(match) == MatchExact
}

// matches tells whether an entry of the service is meant.
func (f *filter) matches(s *Service, e *cache.Entry) bool {
	endpoint, destination := e.Label, []byte(nil)
	if e.Session < 0 {
		endpoint, destination = e.Endpoint, e.Label
	}
	f.looks -= len(endpoint) + len(destination)
	return f.matchesTransport(s, e) && f.hasField(destination, f.destination) && f.hasField(endpoint, f.endpoint)
}

func (f *filter) matchesTransport(s *Service, e *cache.Entry) bool {
	if len(f.transport) == 0 || f.matchesText([]byte(s.transports.of(e.Tag).name), f.transport) {
		return true
	}
	space, _, ok := bytes.Cut(e.Label, []byte("\n"))
	return ok && f.matchesText(space, f.transport)
}

func (f *filter) matchesText(have, want []byte) bool {
	return bytes.HasPrefix(have, want) && (f.prefix || len(have) == len(want))
}

// hasField tells whether a field of a label, after the first one, is meant. A
// label without a newline is one field.
func (f *filter) hasField(label, want []byte) bool {
	if len(want) == 0 {
		return true
	}
	if _, rest, ok := bytes.Cut(label, []byte("\n")); ok {
		label = rest
	}
	for at := 0; ; at++ {
		i := bytes.Index(label[at:], want)
		if i < 0 {
			return false
		}
		at += i
		end := at + len(want)
		if (at == 0 || label[at-1] == '\n') && (f.prefix || end == len(label) || label[end] == '\n') {
			return true
		}
	}
}

// A cursor says after which item to go on. A flush takes the bindings first.
type cursor struct {
	kind  cache.Kind
	after uint64
}

func parseCursor(text []byte, first cache.Kind) (at cursor, ok bool) {
	if len(text) == 0 {
		return cursor{kind: first}, true
	}
	at.kind = cache.Sessions
	if text[0] == 'b' {
		at.kind = cache.Bindings
	}
	after, err := strconv.ParseUint(string(text[1:]), 10, 64)
	return cursor{at.kind, after}, err == nil && (text[0] == 'b' || text[0] == 's')
}

func (c cursor) String() string {
	kind := "s"
	if c.kind == cache.Bindings {
		kind = "b"
	}
	return kind + strconv.FormatUint(c.after, 10)
}

func (c *Conn) list(list []byte) Action {
	f, ok := c.filter(list, 1)
	what, count := string(c.scan.Bytes(list, 0)), int(int32(c.scan.Uint(6)))
	kind := cache.Sessions
	if what == WhatBindings {
		kind = cache.Bindings
	}
	at, known := parseCursor(c.scan.Bytes(list, 5), kind)
	if !ok || !known || at.kind != kind || what != WhatSessions && what != WhatBindings ||
		what == WhatSessions && len(f.destination) > 0 || count <= 0 {
		return c.bad()
	}
	s := c.service
	s.page = s.page[:0]
	entries, more := 0, false
	at.after, more = s.Cache.List(kind, at.after, mostEntries, func(e *cache.Entry) bool {
		if f.looks <= 0 || entries == min(count, MaxEntries) || len(s.page) >= pageBytes {
			return false
		}
		if f.matches(s, e) {
			s.page = s.appendEntry(s.page, e)
			entries++
		}
		return true
	})
	c.answer()
	c.tell("cursor", at.next(more))
	c.tell("entries", strconv.Itoa(entries))
	c.out = attrproto.Null.AppendEnd(append(c.out, s.page...))
	s.page = keep(s.page, nil)
	return Input
}

// next is a cursor as it is told to the client.
func (c cursor) next(more bool) string {
	if more {
		return c.String()
	}
	return ""
}

func (s *Service) appendEntry(out []byte, e *cache.Entry) []byte {
	text := func(name string, text []byte) {
		out = attrproto.AppendUnchecked(out, name, text[:min(len(text), MaxText)])
	}
	number := func(name string, n int64) {
		out = attrproto.AppendUnchecked(out, name, strconv.FormatInt(max(n, 0), 10))
	}
	number("sequence", int64(e.Sequence))
	text("transport", []byte(s.transports.of(e.Tag).name))
	text("label", e.Label)
	text("property", e.Property)
	if e.Session < 0 {
		text("endpoint", e.Endpoint)
	}
	number("age", e.Age)
	number("left", e.Left)
	number("size", int64(len(e.Label)+len(e.Property)+len(e.Endpoint)))
	if e.Session >= 0 {
		alive := int64(1)
		if s.Live != nil && !s.Live(e.Session) {
			alive = 0
		}
		number("alive", alive)
	}
	return out
}

func (c *Conn) flush(list []byte) Action {
	f, ok := c.filter(list, 0)
	at, known := parseCursor(c.scan.Bytes(list, 4), cache.Bindings)
	if !ok || !known {
		return c.bad()
	}
	follow := len(f.destination) > 0
	bindings, sessions, last, more := c.service.Cache.Flush(at.kind, at.after, mostEntries, func(e *cache.Entry) (matches, stop bool) {
		return f.matches(c.service, e), f.looks <= 0
	}, follow)
	at.after = last
	if !more && at.kind == cache.Bindings && !follow {
		at, more = cursor{kind: cache.Sessions}, true
	}
	c.answer()
	c.tell("cursor", at.next(more))
	c.tell("sessions", strconv.Itoa(sessions))
	c.tell("bindings", strconv.Itoa(bindings))
	c.out = attrproto.Null.AppendEnd(c.out)
	return Input
}

// answer begins an answer with a status that says that all is well.
func (c *Conn) answer() {
	c.discard()
	c.service.Counters.Requests[c.number][StatusOK]++
	c.tell("status", "0")
}

// tell adds an attribute to the answer.
func (c *Conn) tell(name, value string) {
	c.trace(name, value)
	c.out = attrproto.AppendUnchecked(c.out, name, value)
}
