package protocol

import (
	"scache/attrproto"
	"scache/scached/cache"
	"scache/scached/strerror"
)

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
	s.Cache.Tag = c.transport
	s.Cache.SaveEndpoint(c.ttl, c.arguments[:c.split], c.arguments[c.split:], fd)
	c.arguments = keep(c.arguments, nil)
	c.reply(StatusOK)
	s.Counters.SavedSessions++
	s.transports.of(c.transport).saves++
	s.transports.of(c.transport).sessions++
	s.statistics.savedEndpoint(s.Cache.Size())
	return Input
}

// handOver begins to give a session to the client, who was told of it.
func (c *Conn) handOver(found cache.Found) Action {
	c.session = found.Session
	c.service.Counters.AgeFound.add(found.Age)
	c.service.transports.of(found.Tag).sessions--
	if c.service.Dialect.Before {
		c.await(readingReady, wantDummy, attrproto.FlagStrict)
		return Input
	}
	if c.service.Dialect.needsRead() {
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
	case c.service.Dialect.afterOptional():
		c.handedOver(true)
		c.lateDummy = true
	case c.service.Dialect.After:
		c.await(readingReceived, wantDummy, attrproto.FlagStrict)
	default:
		c.handedOver(true)
	}
	return c.settle(c.run(nil))
}

func (c *Conn) failedToSend(err error) Action {
	c.service.Log.Warning(c.request.service + ": cannot send file descriptor: " + strerror.Of(err))
	c.handedOver(false)
	return Input
}

// handedOver ends a hand-over, done tells whether the client has its session. For
// the statistics it is a hit in any case.
func (c *Conn) handedOver(done bool) {
	c.service.Close(c.session)
	c.session = -1
	counters := &c.service.Counters
	if done {
		counters.HandedOver++
	} else {
		counters.HandoversFailed++
	}
	if c.request.properties == 1 {
		counters.Endpoint.Hits++
	} else {
		counters.Destination.Hits++
	}
	c.service.transports.of(c.transport).hits++
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
