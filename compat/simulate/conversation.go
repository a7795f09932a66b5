package simulate

import (
	"strconv"
	"strings"

	"scache/scached/protocol"
)

// A talkState is where a conversation is.
type talkState uint8

const (
	asking     talkState = iota // the client is to say what it wants
	saving                      // to send a descriptor
	getReady                    // to say that it is ready for one
	getSession                  // to get it
	confirming                  // to say that it has it
)

// A conversation is what the server and a client have to say to each other over
// a connection, by the protocol. It hears all that the server reads and writes.
type conversation struct {
	w      *world
	client *client
	fd     int // of the server
	state  talkState
	buffer []byte                 // what was read and not used
	expect []byte                 // what the server has to write now
	judge  func(list [][2]string) // an answer that cannot be known

	ttl             int // of save_endp
	label, property string
	promised        *session
	kind            int  // what was looked up
	late            bool // a dummy may come

	turn, reads int // how often it was read from in that turn

	open    bool
	free    bool // what is said to this client is not looked at any more
	excused bool // it may be disconnected
}

// terminator ends a list.
const terminator = "\x00"

func list(words ...string) string {
	return strings.Join(words, "\x00") + "\x00" + terminator
}

// cut takes the first list off a buffer, if it is complete.
func cut(buffer []byte) (list [][2]string, rest []byte, ok bool) {
	at := 0
	word := func() (string, bool) {
		for i := at; i < len(buffer); i++ {
			if buffer[i] == 0 {
				text := string(buffer[at:i])
				at = i + 1
				return text, true
			}
		}
		return "", false
	}
	for {
		name, ok := word()
		if !ok {
			return nil, buffer, false
		}
		if name == "" {
			return list, buffer[at:], true
		}
		value, ok := word()
		if !ok {
			return nil, buffer, false
		}
		list = append(list, [2]string{name, value})
	}
}

func (t *conversation) accepted(fd int) {
	t.fd, t.open = fd, true
	t.w.model.counts.clients++
	if t.w.plan.dialect.Greets {
		t.answer(list("protocol", "connection_cache_protocol"))
	}
}

// keeps tells whether the client keeps to the protocol.
func (t *conversation) keeps() bool { return !t.client.part.role.wild }

// answer is what the server has to say. By the buffer rule, what it has read is
// gone then.
func (t *conversation) answer(text string) {
	t.expect = append(t.expect, text...)
	t.buffer = nil
}

func (t *conversation) status(status int, properties ...string) {
	words := []string{"status", strconv.Itoa(status)}
	for _, p := range properties {
		words = append(words, "property", p)
	}
	t.answer(list(words...))
}

// input is what the server has read.
func (t *conversation) input(data []byte, fds []int, lost bool) {
	if !t.keeps() {
		for _, fd := range fds {
			t.w.table[fd].session.state = wild
		}
		return
	}
	if t.free {
		t.expect, t.judge = nil, nil
	}
	if len(t.expect) > 0 || t.judge != nil {
		t.w.fail("%s: the server reads, and has not answered", t.client.name)
	}
	t.buffer = append(t.buffer, data...)
	for len(t.buffer) > 0 && t.next(fds, lost) {
	}
}

// next takes the next piece of what was read, and reports false when there is none.
func (t *conversation) next(fds []int, lost bool) bool {
	if t.state == saving {
		t.buffer = t.buffer[1:]
		t.saved(fds, lost)
		return true
	}
	words, rest, ok := cut(t.buffer)
	if !ok {
		return false
	}
	if t.late && t.buffer[0] == 'd' {
		t.late, t.buffer = false, rest
		return true
	}
	t.late, t.buffer = false, rest
	switch t.state {
	case getReady:
		t.state = getSession
	case confirming:
		t.done()
	case asking:
		t.carryOut(words)
	default:
		panic("simulate: a client that keeps to the protocol does not: " + t.client.name)
	}
	return true
}

func (t *conversation) saved(fds []int, lost bool) {
	t.state = asking
	if len(fds) != 1 || lost {
		t.status(2)
		return
	}
	t.w.model.saveSession(t.w.table[fds[0]].session, t.ttl, t.label, t.property)
	t.status(0)
}

// carryOut does what a request asks for.
func (t *conversation) carryOut(words [][2]string) {
	m := &t.w.model
	value := func(i int) string { return words[i][1] }
	number := func(i int) int { n, _ := strconv.Atoi(value(i)); return n }
	switch value(0) {
	case "save_endp":
		t.ttl, t.label, t.property = number(1), value(2), value(3)
		t.state = saving
		if t.w.plan.dialect.Before {
			t.answer(list("dummy", ""))
		}
	case "save_dest":
		m.saveBinding(number(1), value(2), value(3), value(4))
		t.status(0)
	case "find_endp":
		t.kind = endpoints
		t.find(value(1), 1)
	case "find_dest":
		t.kind = destinations
		t.find(value(1), 2)
	case protocol.RequestStatus:
		t.buffer, t.judge = nil, t.w.counters()
	case protocol.RequestList:
		t.buffer, t.judge = nil, func([][2]string) {}
	case protocol.RequestFlush:
		t.flush(value(2), value(3), value(5))
	}
}

// find looks something up; a hit is answered with so many properties.
func (t *conversation) find(label string, properties int) {
	m := &t.w.model
	label = m.space(label)
	if m.relaxed && !m.ending {
		t.buffer, t.judge = nil, func(words [][2]string) { t.found(label, words, properties) }
		if !t.w.plan.dialect.Before {
			t.state = getSession // unless nothing is found
		}
		return
	}
	var s *session
	var b *binding
	switch {
	case m.ending:
	case properties == 1:
		s = m.findEndpoint(label)
	default:
		s, b = m.findDestination(label)
	}
	if s == nil {
		m.counts.misses[t.kind]++
		t.status(2, make([]string, properties)...)
		return
	}
	if b != nil {
		t.status(0, b.property, s.property)
	} else {
		t.status(0, s.property)
	}
	t.promise(s)
}

func (t *conversation) promise(s *session) {
	t.promised, t.state = s, getReady
	if !t.w.plan.dialect.Before {
		t.state = getSession
	}
}

// found looks at what the server has found, where it may have given things up.
func (t *conversation) found(label string, words [][2]string, properties int) {
	m := &t.w.model
	if len(words) != 1+properties || words[0][0] != "status" {
		t.w.fail("%s: a lookup is answered with %q", t.client.name, words)
	}
	t.state = asking
	if words[0][1] != "0" {
		m.counts.misses[t.kind]++
		if words[0][1] != "2" {
			t.w.fail("%s: a lookup is answered with %q", t.client.name, words)
		}
		return
	}
	s := m.named(words[properties][1])
	if s == nil || m.w.plan.live && s.file.kind != foreign && s.file.dead() {
		t.w.fail("%s: a lookup finds %q, which is not there, or dead", t.client.name, words)
	}
	bound := properties == 1 && s.label == label
	for _, b := range m.bindings {
		bound = bound || properties == 2 && b.destination == label && b.endpoint == s.label && b.property == words[1][1]
	}
	if !bound {
		t.w.fail("%s: looks up %q and finds %q, which is no session of it", t.client.name, label, words)
	}
	m.forgetSession(s)
	s.state = promised
	t.promise(s)
}

// flush goes as far as one request does: the bindings, or the sessions.
func (t *conversation) flush(destination, endpoint, cursor string) {
	m := &t.w.model
	if m.relaxed || m.ending {
		t.buffer, t.judge = nil, func([][2]string) {}
		return
	}
	onlySessions := strings.HasPrefix(cursor, "s")
	sessions, bindings := m.flush(destination, endpoint, onlySessions)
	next := ""
	if !onlySessions && destination == "" {
		next = "s0"
	}
	t.answer(list("status", "0", "cursor", next, "sessions", strconv.Itoa(sessions), "bindings", strconv.Itoa(bindings)))
}

// done ends a hand-over.
func (t *conversation) done() {
	t.promised.state = over
	t.w.model.counts.handed++
	t.w.model.counts.hits[t.kind]++
	t.promised, t.state = nil, asking
}

// failed ends a hand-over, too.
func (t *conversation) failed() {
	if t.promised == nil {
		return
	}
	t.promised.state, t.promised.droppedAt, t.promised.why, t.promised.failed = dropped, t.w.now, shutdown, true
	t.w.model.dropped = append(t.w.model.dropped, t.promised)
	t.w.model.counts.failed++
	t.w.model.counts.hits[t.kind]++
	t.promised, t.state = nil, asking
}

// says is what the server is about to write.
func (t *conversation) says(p []byte) {
	if t.free || !t.keeps() {
		return
	}
	if t.judge != nil {
		words, rest, ok := cut(p)
		if !ok || len(rest) > 0 {
			t.w.fail("%s is told %q, which is not one answer", t.client.name, p)
		}
		judge := t.judge
		t.judge, t.expect = nil, p
		judge(words)
	}
	if string(p) != string(t.expect) {
		t.w.fail("%s is told %q, not %q", t.client.name, p, t.expect)
	}
}

// said is how much of that it has written.
func (t *conversation) said(n int) {
	if !t.free && t.keeps() {
		t.expect = append([]byte(nil), t.expect[n:]...)
	}
}

// sends is that the server is about to hand over a session.
func (t *conversation) sends(d *descriptor, fd int) {
	s := d.session
	switch {
	case s == nil:
		t.w.fail("%s is to get descriptor %d, which is no session", t.client.name, fd)
	case d.sent:
		t.w.fail("%s is to get %v, which was handed over", t.client.name, s)
	case !t.keeps():
		if s.state != wild {
			t.w.fail("%s is to get %v, which it was not promised", t.client.name, s)
		}
	case t.state != getSession || t.promised != s || len(t.expect) > 0 || t.judge != nil:
		t.w.fail("%s is to get %v; it was promised %v", t.client.name, s, t.promised)
	}
}

// sent is that it has.
func (t *conversation) sent() {
	if !t.keeps() {
		return
	}
	if t.w.plan.dialect.Greets {
		t.state = confirming
		return
	}
	t.done()
	t.late = t.w.plan.dialect.Before
}

// gone is that the server has seen that the client is not there any more.
func (t *conversation) gone() {
	t.free, t.excused, t.expect, t.judge = true, true, nil, nil
	t.failed()
}

// shut is that the server has shut the connection down.
func (t *conversation) shut() {
	if t.w.model.ending {
		t.free = true
	}
}

// excuse is that something has happened to the client that is not the server's
// fault.
func (t *conversation) excuse() { t.free, t.excused = true, true }

// disconnected is that the server has closed the connection.
func (t *conversation) disconnected() {
	t.w.talks[t.fd] = nil
	t.open = false
	t.w.lonely = t.w.turn.start // as the server counts it, which reads the clock once a turn
	t.failed()
	if t.keeps() && !t.excused && !t.w.model.ending && !t.w.model.relaxed && !t.client.sock.closed {
		t.w.fail("%s is disconnected, and has kept to the protocol", t.client.name)
	}
	t.free = true
}
