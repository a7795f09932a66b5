package server

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"scache/compat/wire"
	"scache/testdata"
)

// FuzzServer lets clients do anything that a local socket allows to a whole
// server, in every state of the conversation: say anything, with any number of
// descriptors of any kind, half and in pieces; not read, shut down, go away; and
// lets time pass. It steps through the server's loop itself, so each thing has
// happened before the next one does. In the end no descriptor may be left.
func FuzzServer(f *testing.F) {
	for _, seed := range fuzzSeeds(f) {
		f.Add(seed)
	}
	listen, path := listener(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		before := openDescriptors(t)
		tape := &testdata.Tape{Left: data}
		w := newWorld(t, listen, path, tape.Next())
		w.play(tape)
		w.finish()
		if after := openDescriptors(t); after != before {
			t.Fatalf("%d descriptors are open, %d were", after, before)
		}
	})
}

// What a tape can make happen.
const (
	tapeConnect = iota
	tapeBytes
	tapeMessage
	tapeRead
	tapeClose
	tapeShutdown
	tapeTime
	tapeFill
	tapeKinds
)

// fuzzMessages are what clients say, so that a tape need not spell it.
var fuzzMessages = []string{
	wire.List("request", "save_endp", "ttl", "1", "label", "e", "property", "p"),
	wire.List("request", "save_endp", "ttl", "2", "label", "f", "property", strings.Repeat("p", 300)),
	wire.List("request", "save_dest", "ttl", "2", "label", "d", "property", "q", "label", "e"),
	wire.List("request", "find_endp", "label", "e"),
	wire.List("request", "find_dest", "label", "d"),
	wire.List("dummy", ""),
	"\x00",
	wire.List("request", "bogus"),
	"request\x00save_dest\x00ttl\x001\x00label\x00",
	strings.Repeat("x", 1100),
}

// play does what the tape says, unless it is very long.
func (w *world) play(t *testdata.Tape) {
	const most = 200
	for n := 0; len(t.Left) > 0 && n < most; n++ {
		op := t.Next()
		place := op / tapeKinds % places
		c := w.clients[place]
		switch op % tapeKinds {
		case tapeConnect:
			w.hangUp(place)
			w.clients[place] = w.connect()
		case tapeBytes:
			n := t.Next()
			w.send(c, string(t.Bytes(n)), t.Next())
		case tapeMessage:
			w.send(c, fuzzMessages[t.Next()%len(fuzzMessages)], t.Next())
		case tapeRead:
			w.read(c)
		case tapeClose:
			w.hangUp(place)
		case tapeShutdown:
			if how := t.Next() % 3; c != nil {
				unix.Shutdown(c.FD(), how)
			}
		case tapeTime:
			w.passed += []time.Duration{0, 10 * time.Millisecond, time.Second, 3 * time.Second, time.Hour}[t.Next()%5]
		case tapeFill:
			w.fill(c)
		}
		w.settle()
	}
}

// fuzzSeeds are the conversations with the reference, as tapes, in each dialect;
// and one with everything else.
func fuzzSeeds(f *testing.F) (seeds [][]byte) {
	conversations, err := testdata.Conversations()
	if err != nil {
		f.Fatal(err)
	}
	for i, conversation := range conversations {
		tape := []byte{byte(i % 16), tapeConnect}
		for _, step := range conversation.Steps {
			data := step.Data
			if len(data) == 0 || len(data) > 255 {
				continue
			}
			tape = append(append(append(tape, tapeBytes, byte(len(data))), data...), 4*8+[]byte{0, 2, 4, 5}[min(step.FDs, 3)])
			tape = append(tape, tapeRead)
		}
		seeds = append(seeds, tape)
	}
	for settings := range byte(16) {
		tape := []byte{settings}
		for place := range byte(places) {
			at := func(op byte) byte { return op + place*tapeKinds }
			tape = append(tape, at(tapeConnect), at(tapeMessage), 0, 0, at(tapeMessage), 6, 2+8*place, at(tapeMessage), 3, 0,
				at(tapeMessage), 5, 0, at(tapeRead), at(tapeMessage), 2, 0, at(tapeMessage), place, place, at(tapeTime), place)
		}
		seeds = append(seeds, append(tape, tapeConnect, tapeFill, tapeShutdown, 1, tapeTime, 4))
		// A hand-over that waits until the client reads.
		seeds = append(seeds, []byte{settings, tapeConnect, tapeMessage, 0, 0, tapeMessage, 6, 2 + 8*4, tapeFill,
			tapeRead, tapeMessage, 3, 0, tapeMessage, 5, 0, tapeRead, tapeMessage, 5, 0, tapeRead, tapeMessage, 3, 0, tapeClose})
	}
	return seeds
}
