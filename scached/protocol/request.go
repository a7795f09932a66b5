package protocol

import (
	"strconv"

	"scache/attrproto"
	"scache/scached/strerror"
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

var requests = [...]request{
	{"save_endp", "scache_save_endp_service", []attrproto.Want{
		{Type: attrproto.TypeInt, Name: "ttl"}, {Name: "label"}, {Name: "property"}}, 0, (*Conn).saveEndpoint},
	{"save_dest", "scache_save_dest_service", []attrproto.Want{
		{Type: attrproto.TypeInt, Name: "ttl"}, {Name: "label"}, {Name: "property"}, {Name: "label"}}, 0, (*Conn).saveDestination},
	{"find_endp", "scache_find_endp_service", []attrproto.Want{{Name: "label"}}, 1, (*Conn).findEndpoint},
	{"find_dest", "scache_find_dest_service", []attrproto.Want{{Name: "label"}}, 2, (*Conn).findDestination},
}

// findRequest returns the request with that name, nil if there is none.
func findRequest(name []byte) *request {
	for i := range requests {
		if requests[i].name == string(name) {
			return &requests[i]
		}
	}
	return nil
}

// serve carries out the request, if its parameters are as they should be.
func (r *request) serve(c *Conn, list []byte, count int) Action {
	bad := count != len(r.wants)
	if !bad && r.wants[0].Type == attrproto.TypeInt {
		c.ttl = int(int32(c.scan.Uint(0)))
		bad = c.ttl <= 0
		c.ttl = min(c.ttl, c.service.TTLLimit)
	}
	if bad {
		c.service.Log.Warning(r.service + ": bad or missing request parameter")
		c.refuse(StatusBad)
		return Input
	}
	c.malformed = 0
	return r.perform(c, list)
}

func (c *Conn) saveDestination(list []byte) Action {
	s := c.service
	s.Cache.SaveDestination(c.ttl, c.scan.Bytes(list, 1), c.scan.Bytes(list, 2), c.scan.Bytes(list, 3))
	s.Statistics.savedDestination(s.Cache.Size())
	c.reply(StatusOK)
	return Input
}

func (c *Conn) saveEndpoint(list []byte) Action {
	c.arguments = append(c.arguments[:0], c.scan.Bytes(list, 1)...)
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

// Received gives the connection the descriptor that it asked for, and passes
// its ownership; or -1 and the error for which there is none, which is nil when
// the byte came without one.
func (c *Conn) Received(fd int, err error) Action {
	c.received(fd, err)
	return c.settle(c.run(nil))
}

func (c *Conn) received(fd int, err error) Action {
	s := c.service
	c.awaitRequest()
	if fd < 0 {
		c.arguments = keep(c.arguments, nil)
		s.Log.Warning(c.request.service + ": unable to receive file descriptor: " + strerror.Of(err))
		c.refuse(StatusFailed)
		return Input
	}
	s.Cache.SaveEndpoint(c.ttl, c.arguments[:c.split], c.arguments[c.split:], fd)
	c.arguments = keep(c.arguments, nil)
	c.reply(StatusOK)
	s.Statistics.savedEndpoint(s.Cache.Size())
	return Input
}

func (c *Conn) findEndpoint(list []byte) Action {
	found, ok := c.service.Cache.FindEndpoint(c.scan.Bytes(list, 0))
	if !ok {
		c.service.Statistics.address.misses++
		c.refuse(StatusFailed)
		return Input
	}
	c.reply(StatusOK, found.Property)
	return c.handOver(found.Session)
}

func (c *Conn) findDestination(list []byte) Action {
	found, ok := c.service.Cache.FindDestination(c.scan.Bytes(list, 0))
	if !ok {
		c.service.Statistics.destination.misses++
		c.refuse(StatusFailed)
		return Input
	}
	c.reply(StatusOK, found.DestinationProperty, found.Property)
	return c.handOver(found.Session)
}

// handOver begins to give a session to the client, who was told of it.
func (c *Conn) handOver(session int) Action {
	c.session = session
	if c.service.Dialect.Before {
		c.await(readingReady, wantDummy, attrproto.FlagStrict)
		return Input
	}
	if c.service.Dialect.reads() {
		c.state = awaitingRead
		return AwaitRead
	}
	c.state = sending
	return Send
}

// AnswerRead tells that the client has read all that it was sent.
func (c *Conn) AnswerRead() Action {
	c.state = sending
	return Send
}

// Sent tells that the client has its session, or the error for which it has
// not.
func (c *Conn) Sent(err error) Action {
	switch {
	case err != nil:
		c.failedToSend(err)
	case c.service.Dialect.afterMay():
		c.handedOver()
		c.lateDummy = true
	case c.service.Dialect.After:
		c.await(readingReceived, wantDummy, attrproto.FlagStrict)
	default:
		c.handedOver()
	}
	return c.settle(c.run(nil))
}

func (c *Conn) failedToSend(err error) Action {
	c.service.Log.Warning(c.request.service + ": cannot send file descriptor: " + strerror.Of(err))
	c.handedOver()
	return Input
}

// handedOver ends a hand-over, whether the client has the SMTP session or not.
func (c *Conn) handedOver() {
	c.service.Close(c.session)
	c.session = -1
	if c.request.properties == 1 {
		c.service.Statistics.address.hits++
	} else {
		c.service.Statistics.destination.hits++
	}
	c.awaitRequest()
}

// Broken tells that the client cannot be written to.
func (c *Conn) Broken(err error) {
	switch c.state {
	case readingDescriptor:
		c.service.Log.Warning(c.request.service + ": unable to receive file descriptor: " + strerror.Of(err))
		c.awaitRequest()
	case readingReady, awaitingRead, sending, readingReceived:
		c.failedToSend(err)
	}
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
