package simulate

import (
	"strconv"
	"strings"

	"scache/scached/protocol"
)

// Clients that keep to the protocol.
var (
	good          = role{name: "client", play: (*client).deliver}
	mortal        = role{name: "mortal client", play: (*client).deliver, mortal: true}
	stopper       = role{name: "client that stops", play: (*client).stopHalfway}
	administrator = role{name: "administrator", play: (*client).administer}
	auditor       = role{name: "auditor", play: (*client).audit}
)

// auditorNumber is that of the last client, who is always there.
const auditorNumber = 1 << 20

// audit looks at the counters, and then ends the server.
func (c *client) audit() {
	if c.w.plan.promised {
		c.pauseFor(pause{limit: c.w.now + 2*second, ready: c.w.promised})
	} else if c.connect() {
		c.ask("request", protocol.RequestStatus)
	}
	c.hangUp()
	c.say("ends the server")
	switch c.w.plan.ending {
	case masterDies:
		c.w.masterGone = true
	case listenerShut:
		c.w.listenShut = true
	default:
		c.w.server.Terminate()
	}
}

// promised tells whether a client waits for a session that it was told of.
func (w *world) promised() bool {
	for _, t := range w.talks {
		if t != nil && t.promised != nil && t.client.life < 0 {
			return true
		}
	}
	return false
}

// deliver does as smtp(8) does: it looks for a session, uses it or makes one, and
// saves it.
func (c *client) deliver() {
	for range 1 + c.rand.IntN(6) {
		if !c.connect() {
			c.hangUp()
			c.sleep(100 * ms)
			continue
		}
		for range 1 + c.rand.IntN(8) {
			if !c.deliverOne() {
				break
			}
			c.think()
		}
		c.hangUp()
		c.think()
	}
}

// wrong is that an answer is not what it should be, unless something has happened
// to the client that is not the server's fault. It reports false.
func (c *client) wrong(format string, arguments ...any) bool {
	if !c.sock.peer.talk.excused {
		c.w.fail(format, arguments...)
	}
	return false
}

// think lets time pass, sometimes a lot.
func (c *client) think() {
	switch c.rand.IntN(8) {
	case 0, 1, 2:
		c.sleep(c.rand.Int64N(100 * us))
	case 3, 4, 5:
		c.sleep(c.rand.Int64N(100 * ms))
	default:
		c.sleep(c.rand.Int64N(2 * second))
	}
}

func (c *client) transport() string {
	if c.rand.IntN(4) == 0 {
		return "relay"
	}
	return "smtp"
}

func (c *client) label(kind string) string {
	return c.transport() + "\n" + c.field(kind) + "\n"
}

func (c *client) field(kind string) string { return kind + strconv.Itoa(c.rand.IntN(3)) }

// deliverOne reports false when the connection is no longer of use.
func (c *client) deliverOne() bool {
	switch c.rand.IntN(8) {
	case 0:
		return c.find("find_dest", c.label("d"), 2)
	case 1:
		return c.find("find_endp", c.label("e"), 1)
	case 2:
		return c.saveDestination()
	case 3:
		return c.saveEndpoint(c.newSession())
	case 4:
		return c.pipeline()
	default:
		return c.saveEndpoint(c.newSession()) && c.saveDestination() && c.find("find_dest", c.label("d"), 2)
	}
}

// pipeline sends requests in one piece, of which the first one is answered.
func (c *client) pipeline() bool {
	request := list("request", "find_endp", "label", c.label("nothing"))
	_, err := c.w.send(c.sock, []byte(strings.Repeat(request, 2)), nil, false)
	c.say("sends two requests: %v", err)
	if err != 0 {
		return false
	}
	_, ok := c.answer()
	return ok
}

func (c *client) ttl() string { return strconv.Itoa(1 + c.rand.IntN(8)) }

func (c *client) ask(words ...string) (answer [][2]string, ok bool) {
	if !c.send(list(words...)) {
		return nil, false
	}
	return c.answer()
}

func (c *client) saveDestination() bool {
	_, ok := c.ask("request", "save_dest", "ttl", c.ttl(), "label", c.label("d"), "property", c.field("q"), "label", c.label("e"))
	return ok
}

// newSession opens a connection to a mail server.
func (c *client) newSession() *file {
	f := c.w.newFile(tcp)
	f.refs = 1
	switch c.rand.IntN(10) {
	case 0:
		f.kind = local
	case 1:
		f.linger, f.closeTime = true, c.rand.Int64N(2*second)
	case 2:
		f.upper, f.closeTime = true, c.rand.Int64N(50*ms)
	}
	f.lowWater = f.kind == tcp && c.rand.IntN(8) == 0
	if c.rand.IntN(4) == 0 {
		c.w.fates = append(c.w.fates, fate{at: c.w.now + c.rand.Int64N(2*second), file: f, ends: c.rand.IntN(2) == 0})
	}
	return f
}

// saveEndpoint saves a session, of which the client gives up its own descriptor.
func (c *client) saveEndpoint(f *file) bool {
	defer c.w.release(f)
	c.w.properties++
	property := "p" + strconv.Itoa(c.w.properties)
	request := list("request", "save_endp", "ttl", c.ttl(), "label", c.label("e"), "property", property)
	if !c.send(request) {
		return false
	}
	if c.w.plan.dialect.Before {
		if _, ok := c.answer(); !ok {
			return false
		}
	}
	if !c.send("\x00", f) {
		return false
	}
	_, ok := c.answer()
	return ok
}

// drainTime is for how long a server that ends keeps its promises, at least.
const drainTime = 400 * ms

// find looks for a session, and uses it.
func (c *client) find(request, label string, properties int) bool {
	answer, ok := c.ask("request", request, "label", label)
	if !ok {
		return false
	}
	if len(answer) != 1+properties {
		return c.wrong("%s: a lookup is answered with %q", c.name, answer)
	}
	if answer[0][1] != "0" {
		return true
	}
	if c.rand.IntN(4) == 0 {
		c.sleep(c.rand.Int64N(50 * ms))
	}
	if c.w.plan.dialect.Before && !c.send(list("dummy", "")) {
		return false
	}
	f := c.receive()
	if f == nil {
		if m := &c.w.model; m.ending && !m.relaxed && c.w.now < m.endedAt+drainTime {
			return c.wrong("%s was promised a session before the end, and does not get it", c.name)
		}
		return false
	}
	confirms := c.w.plan.dialect.After && (c.w.plan.dialect.Greets || c.rand.IntN(2) == 0)
	if confirms && !c.send(list("dummy", "")) {
		c.w.release(f)
		return false
	}
	c.think()
	if c.rand.IntN(2) == 0 {
		return c.saveEndpoint(f)
	}
	c.w.release(f)
	return true
}

// stopHalfway stops in the middle of a request, and waits to be disconnected.
func (c *client) stopHalfway() {
	if !c.connect() {
		return
	}
	c.sock.peer.talk.excuse()
	request := list("request", "find_endp", "label", c.label("e"))
	if c.rand.IntN(2) == 0 {
		request = list("request", "save_endp", "ttl", "5", "label", c.label("e"), "property", "never")
	} else {
		request = request[:1+c.rand.IntN(len(request)-1)]
	}
	if !c.send(request) {
		return
	}
	limit := c.w.now + c.w.plan.timeout + second
	c.pauseFor(pause{limit: limit, ready: func() bool { return c.sock.peer.closed }})
	if !c.sock.peer.closed && !c.w.model.ending && c.sock.peer.talk.open {
		c.w.fail("%s has stopped in the middle of a request, and is still connected", c.name)
	}
}

// administer looks into the cache, and drops some of it.
func (c *client) administer() {
	for range 1 + c.rand.IntN(4) {
		if !c.connect() {
			c.hangUp()
			c.sleep(100 * ms)
			continue
		}
		for range 1 + c.rand.IntN(3) {
			ok := false
			switch c.rand.IntN(4) {
			case 0:
				ok = c.flush()
			case 1:
				ok = c.list()
			default:
				_, ok = c.ask("request", protocol.RequestStatus)
			}
			if !ok {
				break
			}
			c.think()
		}
		c.hangUp()
		c.think()
	}
}

func (c *client) flush() bool {
	destination, endpoint := "", c.field("e")
	if c.rand.IntN(2) == 0 {
		destination, endpoint = c.field("d"), ""
	}
	for cursor := ""; ; {
		answer, ok := c.ask("request", protocol.RequestFlush, "transport", "", "destination", destination,
			"endpoint", endpoint, "match", protocol.MatchExact, "cursor", cursor)
		if !ok {
			return false
		}
		if len(answer) != 4 {
			return c.wrong("%s: a flush is answered with %q", c.name, answer)
		}
		if cursor = answer[1][1]; cursor == "" {
			return true
		}
	}
}

// list lists the sessions, a few at a time. One that stays is listed exactly once.
func (c *client) list() bool {
	before := map[string]bool{}
	for _, s := range c.w.model.sessions {
		before[s.property] = true
	}
	seen := map[string]bool{}
	for cursor := ""; ; {
		answer, ok := c.ask("request", protocol.RequestList, "what", protocol.WhatSessions, "transport", "", "destination", "",
			"endpoint", "", "match", protocol.MatchExact, "cursor", cursor, "count", strconv.Itoa(1+c.rand.IntN(4)))
		if !ok {
			return false
		}
		if len(answer) < 2 {
			return c.wrong("%s: a listing is answered with %q", c.name, answer)
		}
		for _, word := range answer {
			switch name := word[0] + " " + word[1]; word[0] {
			case "sequence":
				if seen[name] {
					c.w.fail("%s: session %s is listed twice", c.name, word[1])
				}
				seen[name] = true
			case "property":
				seen[word[1]] = true
			}
		}
		if cursor = answer[1][1]; cursor == "" {
			break
		}
		c.sleep(c.rand.Int64N(2 * ms))
	}
	for _, s := range c.w.model.sessions {
		if before[s.property] && !seen[s.property] && !c.w.model.relaxed {
			c.w.fail("%s: %v is not listed", c.name, s)
		}
	}
	return true
}
