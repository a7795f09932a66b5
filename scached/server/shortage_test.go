package server

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"scache/compat/wire"
	"scache/scached/protocol"
)

// However full the socket of a client is that does not read, when it does it gets
// every answer, and the SMTP session that it was promised.
func TestHandOverToFullSocket(t *testing.T) {
	listen, path := listener(t)
	waited := false
	most := newWorld(t, listen, path, 0)
	most.clients[0] = most.connect()
	fit := most.unread(most.clients[0])
	most.finish()
	for unread := fit - 5; unread <= fit; unread++ {
		w := newWorld(t, listen, path, 0)
		w.clients[0], w.clients[1] = w.connect(), w.connect()
		saver, taker := w.clients[0], w.clients[1]
		w.settle()
		for _, message := range []struct {
			text     string
			decision int
		}{{fuzzMessages[0], 0}, {"\x00", 2 + 8*5}} {
			w.send(saver, message.text, message.decision)
			w.settle()
		}
		for range unread {
			w.send(taker, nothing, 0)
			w.settle()
		}
		text, fds := "", 0
		for _, message := range []string{fuzzMessages[3], wire.Dummy, wire.Dummy} {
			if w.waiting() && w.server.busy.first.action != protocol.Send {
				text, fds = w.readAll(taker) // what is said before the answer is there may be lost
			}
			w.send(taker, message, 0)
			w.settle()
			waited = waited || w.waiting() && w.server.busy.first.action == protocol.Send
		}
		more, taken := w.readAll(taker)
		text, fds = text+more, fds+taken
		want := wire.Greeting + strings.Repeat(wire.Missed, unread) + wire.Found + "\x00"
		if text != want || fds != 1 {
			t.Fatalf("with %d answers unread: got %d descriptors and %d bytes, want 1 and %d", unread, fds, len(text), len(want))
		}
		w.finish()
	}
	if !waited {
		t.Error("no hand-over had to wait: the sockets are larger than they were")
	}
}

// When there is no descriptor at all left, not even for a moment, the server does
// not spend its time on trying; and when there is one again, it accepts clients
// as ever.
func TestNoDescriptorLeft(t *testing.T) {
	listen, path := listener(t)
	w := newWorld(t, listen, path, 0)
	w.clients[0] = w.connect()
	w.settle()
	w.clients[1] = w.connect() // whom the server cannot accept
	restore := exhaust(t)
	w.settle() // it comes to rest
	restore()
	const why = "warning: accept connection: Too many open files (1 times)"
	if lines := w.log.snapshot(); !slices.Contains(lines, why) {
		t.Errorf("the log does not say %q:\n%s", why, strings.Join(lines, "\n"))
	}
	w.passed += longPause
	w.settle()
	if text, _ := w.read(w.clients[1]); text != wire.Greeting {
		t.Errorf("the second client reads %q", text)
	}
	w.finish()
}

// exhaust sees to it that the process can open nothing more, until restore is
// called.
func exhaust(t *testing.T) (restore func()) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	none := unix.Rlimit{Cur: 3, Max: limit.Max}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			t.Fatal(err)
		}
	}
}
