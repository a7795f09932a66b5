package protocol

import (
	"io"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"scache/scached/cache"
	"scache/testdata"
)

// What a tape can make happen.
const (
	tapeBytes = iota
	tapeMessage
	tapeBytesWithDescriptor
	tapeFailure
	tapeTime
	tapeEnd
	tapeOther // another client takes over
	tapeKinds
)

// messages are what clients say, so that a tape need not spell it.
var messages = []string{
	list("request", "save_endp", "ttl", "1", "label", "e", "property", "p"),
	list("request", "save_dest", "ttl", "2", "label", "d", "property", "q", "label", "e"),
	list("request", "find_endp", "label", "e"),
	list("request", "find_dest", "label", "d"),
	list("dummy", ""),
	"\x00",
	list("request", "bogus"),
	list("request", "find_endp", "ttl", "1"),
	list("request", "scached_status"),
	list("request", "scached_list", "what", "bindings", "transport", "", "destination", "", "endpoint", "e", "match", "exact", "cursor", "", "count", "2"),
	list("request", "scached_list", "what", "sessions", "transport", "o", "destination", "", "endpoint", "", "match", "prefix", "cursor", "s2", "count", "9"),
	list("request", "scached_flush", "transport", "", "destination", "d", "endpoint", "", "match", "exact", "cursor", ""),
	list("request", "save_endp", "ttl", "1", "label", "relay\ne\n", "property", "p"),
	list("request", "find_endp", "label", "smtp\ne\n"),
}

// A host carries out what connections ask for, and keeps an account of
// descriptors, which are numbers here.
type host struct {
	*testing.T
	service *Service
	conns   [2]Conn
	actions [2]Action
	now     int64
	given   int         // descriptors so far
	closed  map[int]int // how often
}

func (h *host) Info(string)    {}
func (h *host) Warning(string) {}

func newHost(t *testing.T, settings int) *host {
	h := &host{T: t, now: 1000, closed: make(map[int]int)}
	config := Config{
		Name: "scache", Dialect: Dialects[settings%len(Dialects)], TTLLimit: 2, StringLimit: 64, Log: h,
		Verbose: settings&4 != 0, Control: settings&32 != 0, NameSpaces: []NameSpace{{"relay", "smtp"}},
		Limits: cache.Limits{Sessions: 5, EndpointSessions: 3, Bindings: 3, DestinationBindings: 2, DestinationMemory: 1024, Memory: 4096}, Now: h.now,
		Close: func(fd int) { h.closed[fd]++ },
	}
	config.Flooded = func() bool { return settings&8 != 0 }
	if settings&8 != 0 {
		config.Live = func(fd int) bool { return fd%3 != 0 }
	}
	h.service = NewService(config, time.Unix(h.now, 0))
	for i := range h.conns {
		h.open(i, settings&16 != 0)
	}
	return h
}

func (h *host) open(i int, duplex bool) {
	h.conns[i].Open(h.service, duplex)
	h.actions[i] = Input
}

// descriptors makes some up.
func (h *host) descriptors(n int) []int {
	var fds []int
	for range n {
		h.given++
		fds = append(fds, h.given)
	}
	return fds
}

// play does what the tape says. The connection that has its turn gets only what
// it has asked for, as from a server.
func (h *host) play(t *testdata.Tape) {
	turn := 0
	for len(t.Left) > 0 {
		c := &h.conns[turn]
		switch kind := t.Next() % tapeKinds; kind {
		case tapeBytes, tapeBytesWithDescriptor:
			n := 0
			if kind == tapeBytesWithDescriptor {
				n = 1 + t.Next()%2
			}
			h.feed(turn, t.Bytes(t.Next()), h.descriptors(n), nil)
		case tapeMessage:
			h.feed(turn, []byte(messages[t.Next()%len(messages)]), nil, nil)
		case tapeFailure:
			h.feed(turn, nil, nil, unix.EPIPE)
		case tapeTime:
			h.now += int64(t.Next() % 4)
			h.service.Cache.Expire(h.now)
		case tapeEnd:
			c.End([]error{io.EOF, unix.ETIMEDOUT}[t.Next()%2])
			h.output(c)
			c.Close()
			h.open(turn, t.Next()%2 == 1)
		case tapeOther:
			turn = 1 - turn
		}
	}
}

// feed gives a connection what came, or tells it that what it has to do failed.
func (h *host) feed(turn int, data []byte, descriptors []int, failure error) {
	c := &h.conns[turn]
	defer func() {
		if h.actions[turn] == Drop {
			c.Close()
			h.open(turn, false)
		}
		h.check(c)
	}()
	if h.actions[turn] == AwaitRead && failure == nil {
		h.output(c)
		h.actions[turn] = c.AnswerRead()
	}
	for h.actions[turn] == Send {
		h.sendable(c.Session())
		h.output(c)
		h.actions[turn] = c.Sent(failure)
	}
	switch h.actions[turn] {
	case Descriptor:
		fd := -1
		if len(descriptors) > 0 && failure == nil {
			fd = descriptors[0]
			descriptors = descriptors[1:]
		}
		for _, surplus := range descriptors {
			h.closed[surplus]++ // which is the server's part
		}
		h.actions[turn] = c.Received(fd, failure)
	case Input:
		if len(data) == 0 {
			for _, fd := range descriptors {
				h.closed[fd]++ // none comes without a byte
			}
			return
		}
		h.actions[turn] = c.Input(data, descriptors)
	default:
		for _, fd := range descriptors {
			h.closed[fd]++
		}
	}
	h.output(c)
}

func (h *host) output(c *Conn) {
	for out := c.Output(); len(out) > 0; out = c.Output() {
		c.Written((len(out) + 1) / 2)
	}
}

func (h *host) sendable(fd int) {
	if fd <= 0 || fd > h.given || h.closed[fd] != 0 {
		h.Fatalf("descriptor %d is to be sent: %d were given, it was closed %d times", fd, h.given, h.closed[fd])
	}
}

// check looks at what holds at all times.
func (h *host) check(c *Conn) {
	const strings = 8 // names and values of the longest request
	if held := c.Held(); held > strings*2*(64+BufferSize) {
		h.Fatalf("a connection holds %d bytes", held)
	}
	if size := h.service.Cache.Size(); size.Sessions > 5 || size.Bindings > 3 {
		h.Fatalf("the cache holds %+v", size)
	}
	for fd, n := range h.closed {
		if n != 1 {
			h.Fatalf("descriptor %d was closed %d times", fd, n)
		}
	}
}

// finish ends everything, after which every descriptor has to be closed.
func (h *host) finish() {
	for i := range h.conns {
		h.conns[i].Close()
	}
	h.service.Cache.Close()
	for fd := 1; fd <= h.given; fd++ {
		if h.closed[fd] != 1 {
			h.Fatalf("in the end descriptor %d was closed %d times", fd, h.closed[fd])
		}
	}
}

// FuzzConn lets two clients say anything at all, in all dialects, and checks
// that every descriptor is closed exactly once.
func FuzzConn(f *testing.F) {
	for _, seed := range transcriptTapes(f) {
		for _, settings := range []byte{0, 1, 2, 3, 4 | 8, 16, 16 | 8 | 1, 32, 32 | 8 | 3} {
			f.Add(append([]byte{settings}, seed...))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tape := &testdata.Tape{Left: data}
		h := newHost(t, tape.Next())
		h.play(tape)
		h.finish()
	})
}

// transcriptTapes are the conversations with the reference, as tapes.
func transcriptTapes(f *testing.F) (tapes [][]byte) {
	conversations, err := testdata.Conversations()
	if err != nil {
		f.Fatal(err)
	}
	for _, conversation := range conversations {
		var tape []byte
		for _, step := range conversation.Steps {
			data := step.Data
			if len(data) > 255 {
				continue
			}
			switch step.Do {
			case "send":
				tape = append(append(tape, tapeBytes, byte(len(data))), data...)
			case "send_fds":
				tape = append(append(tape, tapeBytesWithDescriptor, byte(step.FDs-1), byte(len(data))), data...)
			}
		}
		tapes = append(tapes, tape)
	}
	return tapes
}
