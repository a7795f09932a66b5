package protocol

import (
	"strconv"

	"scache/attrproto"
	"scache/scached/cache"
)

// The status that a request is answered with (src/global/scache.h).
const (
	StatusOK     = 0
	StatusBad    = 1 // malformed request
	StatusFailed = 2 // not found, or no descriptor
)

var (
	wantRequest = []attrproto.Want{{Name: "request"}}
	wantDummy   = []attrproto.Want{{Name: "dummy"}}
)

// A request is one thing that a client can ask for.
type request struct {
	name    string
	service string // what the reference calls it in messages
	wants   []attrproto.Want
	// properties is how many of them an answer holds.
	properties int
	perform    func(c *Conn, list []byte) Action
}

// requestKinds is how many requests there are, of which the first ones are the
// reference's.
const (
	requestKinds      = 7
	referenceRequests = 4
)

var requests = [requestKinds]request{
	{"save_endp", "scache_save_endp_service", []attrproto.Want{
		{Type: attrproto.TypeInt, Name: "ttl"}, {Name: "label"}, {Name: "property"}}, 0, (*Conn).saveEndpoint},
	{"save_dest", "scache_save_dest_service", []attrproto.Want{
		{Type: attrproto.TypeInt, Name: "ttl"}, {Name: "label"}, {Name: "property"}, {Name: "label"}}, 0, (*Conn).saveDestination},
	{"find_endp", "scache_find_endp_service", []attrproto.Want{{Name: "label"}}, 1, (*Conn).findEndpoint},
	{"find_dest", "scache_find_dest_service", []attrproto.Want{{Name: "label"}}, 2, (*Conn).findDestination},
	{RequestStatus, RequestStatus, nil, 0, (*Conn).tellStatus},
	{RequestList, RequestList, wantList, 0, (*Conn).list},
	{RequestFlush, RequestFlush, wantFlush, 0, (*Conn).flush},
}

// findRequest returns the number of the request with that name, requestKinds if
// there is none.
func (s *Service) findRequest(name []byte) int {
	known := requests[:]
	if !s.Control {
		known = requests[:referenceRequests]
	}
	for i := range known {
		if known[i].name == string(name) {
			return i
		}
	}
	return requestKinds
}

// requestNames are those of metrics.
var requestNames = [requestKinds + 1]string{requestKinds: "unknown"}

func init() {
	for i := range requests {
		requestNames[i] = requests[i].name
	}
}

// serve carries out the request, if its parameters are as they should be.
func (r *request) serve(c *Conn, list []byte, count int) Action {
	bad := count != len(r.wants)
	if !bad && len(r.wants) > 0 && r.wants[0].Type == attrproto.TypeInt {
		c.ttl = int(int32(c.scan.Uint(0)))
		bad = c.ttl <= 0
		c.ttl = min(c.ttl, c.service.TTLLimit)
	}
	if bad {
		return c.bad()
	}
	c.malformed = 0
	if len(c.service.labels) > 0 {
		c.service.forgetLabels()
	}
	return r.perform(c, list)
}

// bad refuses a request whose parameters are not as they should be.
func (c *Conn) bad() Action {
	c.service.Log.Warning(c.request.service + ": bad or missing request parameter")
	c.refuse(StatusBad)
	return Input
}

func (c *Conn) saveDestination(list []byte) Action {
	s := c.service
	destination, endpoint := c.label(list, 1), c.label(list, 3)
	s.Cache.Tag = c.transport
	if s.Cache.SaveDestination(c.ttl, destination, c.scan.Bytes(list, 2), endpoint) {
		s.Counters.RefreshedBindings++
	} else {
		s.Counters.SavedBindings++
	}
	s.statistics.savedDestination(s.Cache.Size())
	c.reply(StatusOK)
	return Input
}

func (c *Conn) saveEndpoint(list []byte) Action {
	c.arguments = append(c.arguments[:0], c.label(list, 1)...)
	c.split = len(c.arguments)
	c.arguments = append(c.arguments, c.scan.Bytes(list, 2)...)
	c.state = readingDescriptor
	if c.service.Dialect.Before {
		c.discard()
		c.trace("dummy", "")
		c.out = attrproto.Null.AppendEnd(attrproto.AppendUnchecked(c.out, "dummy", ""))
	}
	return Descriptor
}

func (c *Conn) findEndpoint(list []byte) Action {
	dead := c.service.Counters.SessionsClosed[cache.Dead]
	found, ok := c.service.Cache.FindEndpoint(c.label(list, 0))
	if !ok {
		return c.missed(&c.service.Counters.Endpoint, missEmpty, dead)
	}
	c.reply(StatusOK, found.Property)
	return c.handOver(found)
}

func (c *Conn) findDestination(list []byte) Action {
	dead := c.service.Counters.SessionsClosed[cache.Dead]
	found, ok := c.service.Cache.FindDestination(c.label(list, 0))
	if !ok {
		why := missUnknown
		if found.Bound {
			why = missEmpty
		}
		return c.missed(&c.service.Counters.Destination, why, dead)
	}
	c.reply(StatusOK, found.DestinationProperty, found.Property)
	return c.handOver(found)
}

// missed answers a lookup that found nothing. That is for another reason when
// there are more dead sessions now than before.
func (c *Conn) missed(lookups *Lookups, why int, dead uint64) Action {
	if c.service.Counters.SessionsClosed[cache.Dead] > dead {
		why = missDead
	}
	lookups.Misses[why]++
	c.service.transports.of(c.transport).misses++
	c.refuse(StatusFailed)
	return Input
}

// label is the i'th value, a label, as it goes into the cache.
func (c *Conn) label(list []byte, i int) (label []byte) {
	label, c.transport = c.service.label(c.scan.Bytes(list, i))
	return label
}

// refuse answers a request with a status and empty properties.
func (c *Conn) refuse(status int) {
	var empty [2][]byte
	c.reply(status, empty[:c.request.properties]...)
}

// reply answers a request. Properties need no check, because they came in over
// the wire in the same encoding.
func (c *Conn) reply(status int, properties ...[]byte) {
	c.discard()
	c.service.Counters.Requests[c.number][status]++
	digits := strconv.Itoa(status)
	c.trace("status", digits)
	c.out = attrproto.AppendUnchecked(c.out, "status", digits)
	for _, property := range properties {
		if c.service.Verbose {
			c.trace("property", string(property))
		}
		c.out = attrproto.AppendUnchecked(c.out, "property", property)
	}
	c.out = attrproto.Null.AppendEnd(c.out)
}

// discard is the buffer rule: to write throws away what was read.
func (c *Conn) discard() {
	if !c.duplex {
		c.in = nil
	}
}

// trace logs an attribute that is sent.
func (c *Conn) trace(name, value string) {
	if c.service.Verbose {
		c.service.Log.Info("send attr " + name + " = " + value)
	}
}
