package simulate

import (
	"strconv"
	"strings"
)

// Clients that keep to the protocol.
var (
	good          = role{name: "client", play: (*client).deliver}
	mortal        = role{name: "mortal client", play: (*client).deliver, mortal: true}
	stopper       = role{name: "client that stops", play: (*client).stopHalfway}
	late          = role{name: "client that reads late", play: (*client).readLate}
	administrator = role{name: "administrator", play: (*client).administer}
	auditor       = role{name: "auditor", play: (*client).audit}
)

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
	if c.rand.IntN(2) == 0 {
		property = strconv.Itoa(c.w.properties) + "\n0\n0"
	}
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

// brokenPromise is that the client does not get what it was told of, which is
// excused only if the server ends, and has waited.
func (c *client) brokenPromise() bool {
	if m := &c.w.model; m.ending && !m.relaxed && c.w.now < m.endedAt+drainTime {
		return c.wrong("%s was promised a session before the end, and does not get it", c.name)
	}
	return false
}

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
		return c.brokenPromise()
	}
	f := c.receive()
	if f == nil {
		return c.brokenPromise()
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

// readLate asks and does not read, until its socket is nearly full, and then for a
// session; and reads after that.
func (c *client) readLate() {
	if !c.connect() {
		return
	}
	talk, ready := c.sock.peer.talk, false
	answered := func() bool { return talk.open && len(c.sock.peer.queue) == 0 && len(talk.expect) == 0 }
	nothing := list("request", "find_endp", "label", c.label("nothing"))
	soon := func() bool {
		c.pauseFor(pause{limit: c.w.now + 50*ms, ready: answered})
		return answered()
	}
	for most := c.sock.room - c.rand.IntN(600) - 600; c.sock.used < most; {
		if !soon() || !c.send(nothing) {
			return
		}
	}
	if !soon() || !c.send(list("request", "find_endp", "label", c.label("e"))) {
		return
	}
	c.sleep(3 * ms)
	for {
		if talk.state == getReady && !ready {
			if ready = true; !c.send(list("dummy", "")) {
				return
			}
			c.sleep(3 * ms)
		}
		c.await(func() bool { return c.readable() || talk.promised == nil })
		if !c.readable() {
			break
		}
		n, files, _ := c.w.receive(c.sock, make([]byte, 1+c.rand.IntN(1000)))
		c.say("reads %d bytes, and %d descriptors", n, len(files))
		for _, f := range files {
			c.w.release(f)
		}
		if n == 0 || len(files) > 0 && c.w.plan.dialect.Greets && !c.send(list("dummy", "")) {
			return
		}
	}
	if talk.promised != nil {
		c.waits()
	}
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
	peer := c.sock.peer
	// The time counts from when it is accepted, which it may be late: places can be short.
	c.pauseFor(pause{limit: c.w.now + c.w.plan.timeout, ready: func() bool { return peer.talk.open || peer.closed }})
	c.pauseFor(pause{limit: c.w.now + c.w.plan.timeout + second, ready: func() bool { return peer.closed }})
	if !peer.closed && !c.w.model.ending && peer.talk.open {
		c.w.fail("%s has stopped in the middle of a request, and is still connected", c.name)
	}
}
