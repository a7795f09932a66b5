package server

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"scache/attrproto"
	"scache/scached/protocol"
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
	listen, path := fuzzListener(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		before := openDescriptors(t)
		tape := &tape{data}
		w := newWorld(t, listen, path, tape.next())
		w.play(tape)
		w.finish()
		if after := openDescriptors(t); after != before {
			t.Fatalf("%d descriptors are open, %d were", after, before)
		}
	})
}

func fuzzListener(f *testing.F) (fd int, path string) {
	dir, err := os.MkdirTemp("", "sc")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { os.RemoveAll(dir) })
	path = filepath.Join(dir, "s")
	fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		f.Fatal(err)
	}
	if err := unix.Listen(fd, 100); err != nil {
		f.Fatal(err)
	}
	return fd, path
}

// openDescriptors counts those of this process, less the one that it takes.
func openDescriptors(t *testing.T) int {
	dir, err := unix.Open("/proc/self/fd", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(dir)
	count := 0
	for buffer := make([]byte, 4096); ; {
		n, err := unix.ReadDirent(dir, buffer)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return count
		}
		_, more, _ := unix.ParseDirent(buffer[:n], -1, nil)
		count += more
	}
}

// A tape is what a fuzz test reads its decisions from. At its end it says 0.
type tape struct{ left []byte }

func (t *tape) next() int {
	if len(t.left) == 0 {
		return 0
	}
	b := t.left[0]
	t.left = t.left[1:]
	return int(b)
}

func (t *tape) bytes(n int) []byte {
	n = min(n, len(t.left))
	b := t.left[:n]
	t.left = t.left[n:]
	return b
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

// attributes writes an attribute list.
func attributes(words ...string) string { return strings.Join(words, "\x00") + "\x00\x00" }

var (
	greeting = string(protocol.Dialects[0].AppendGreeting(nil))
	nothing  = attributes("request", "find_endp", "label", "nothing")
	missed   = attributes("status", "2", "property", "")
)

// fuzzMessages are what clients say, so that a tape need not spell it.
var fuzzMessages = []string{
	attributes("request", "save_endp", "ttl", "1", "label", "e", "property", "p"),
	attributes("request", "save_endp", "ttl", "2", "label", "f", "property", strings.Repeat("p", 300)),
	attributes("request", "save_dest", "ttl", "2", "label", "d", "property", "q", "label", "e"),
	attributes("request", "find_endp", "label", "e"),
	attributes("request", "find_dest", "label", "d"),
	attributes("dummy", ""),
	"\x00",
	attributes("request", "bogus"),
	"request\x00save_dest\x00ttl\x001\x00label\x00",
	strings.Repeat("x", 1100),
}

// places is how many clients a tape can have at a time. That is more than the
// server wants.
const places = 8

// A world is a server with its clients.
type world struct {
	*testing.T
	server  *Server
	path    string
	clients [places]int // owned; -1 for none
	remotes []int       // owned; other ends of what was sent
	passed  time.Duration
	filled  bool
}

func newWorld(t *testing.T, listen int, path string, settings int) *world {
	w := &world{T: t, path: path}
	for i := range w.clients {
		w.clients[i] = -1
	}
	server, err := New(Config{
		Name: "scache", Dialect: protocol.Dialects[settings%len(protocol.Dialects)], TTLLimit: 2 * time.Second, Log: &recorder{},
		Listen: []int{listen}, Master: -1, Notify: func(bool) {}, LiveCheck: settings&4 != 0, Verbose: settings&8 != 0,
		MaxIdle: 1000 * time.Hour, IPCTimeout: time.Minute, Statistics: time.Hour, StringLimit: 1024,
		MaxSessions: 6, MaxEndpointSessions: 4, MaxBindings: 6, MaxBytes: 16 << 10, MaxClients: places - 2,
	})
	if err != nil {
		t.Fatal(err)
	}
	server.capacity = 10
	w.server = server
	return w
}

// settle steps through the server's loop until there is nothing to do.
func (w *world) settle() {
	const many = 10_000
	for range many {
		s := w.server
		if err := s.timer.set(s.now, s.sleep()); err != nil {
			w.Fatal(err)
		}
		n, err := s.waitForEvents(0)
		if err != nil {
			w.Fatal(err)
		}
		s.now = time.Now().Add(w.passed)
		s.runTimers()
		for i := range s.events[:n] {
			s.dispatch(&s.events[i])
		}
		s.descriptors.sweep(sweepSize)
		w.check()
		if n == 0 && len(s.descriptors.doomed) == 0 {
			return
		}
	}
	w.Fatal("the server does not come to rest")
}

// check looks at what holds between two turns.
func (w *world) check() {
	s := w.server
	count, held := 0, 0
	for _, q := range []*clientQueue{&s.idle, &s.busy} {
		for c := q.first; c != nil; c = c.next {
			if s.clients[c.fd] != c || c.queue != q {
				w.Fatalf("client %d is in the wrong place", c.fd)
			}
			count++
			held += c.held
		}
	}
	if count != s.count || held != s.held || held > s.config.MaxBytes || count > s.config.MaxClients {
		w.Fatalf("%d clients hold %d bytes; the server thinks %d and %d", count, held, s.count, s.held)
	}
	size := s.service.Cache.Size()
	if size.Sessions > s.config.MaxSessions || size.Bindings > s.config.MaxBindings {
		w.Fatalf("the cache holds %+v", size)
	}
	if open := int(s.descriptors.open.Load()); open < size.Sessions {
		w.Fatalf("%d descriptors for %d sessions", open, size.Sessions)
	}
}

// play does what the tape says, unless it is very long.
func (w *world) play(t *tape) {
	const most = 200
	for n := 0; len(t.left) > 0 && n < most; n++ {
		op := t.next()
		place := op / tapeKinds % places
		fd := w.clients[place]
		switch op % tapeKinds {
		case tapeConnect:
			w.hangUp(place)
			w.clients[place] = w.connect()
		case tapeBytes:
			n := t.next()
			w.send(fd, t.bytes(n), t.next())
		case tapeMessage:
			w.send(fd, []byte(fuzzMessages[t.next()%len(fuzzMessages)]), t.next())
		case tapeRead:
			w.read(fd)
		case tapeClose:
			w.hangUp(place)
		case tapeShutdown:
			unix.Shutdown(fd, t.next()%3)
		case tapeTime:
			w.passed += []time.Duration{0, 10 * time.Millisecond, time.Second, 3 * time.Second, time.Hour}[t.next()%5]
		case tapeFill:
			w.fill(fd)
		}
		w.settle()
	}
}

// fill makes the server stop reading from a client that does not read either.
// It takes some hundred replies, so it is done only once.
func (w *world) fill(fd int) {
	const replies = 400
	for n := 0; fd >= 0 && !w.filled && n < replies; n++ {
		w.send(fd, []byte(nothing), 0)
		w.settle()
	}
	w.filled = w.filled || fd >= 0
}

func (w *world) connect() int {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		w.Fatal(err)
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: w.path}); err != nil {
		w.Fatal(err)
	}
	return fd
}

func (w *world) hangUp(place int) {
	if fd := w.clients[place]; fd >= 0 {
		unix.Close(fd)
		w.clients[place] = -1
	}
}

// send sends bytes, with what the decision says: a number of descriptors and of
// what kind they are.
func (w *world) send(fd int, data []byte, decision int) {
	if fd < 0 || len(data) == 0 {
		return
	}
	var fds []int
	for range []int{0, 0, 1, 1, 2, 3, 20, 1}[decision%8] {
		fds = append(fds, w.descriptor(fd, decision/8))
	}
	var control []byte
	if len(fds) > 0 {
		control = unix.UnixRights(fds...)
	}
	unix.SendmsgN(fd, data, control, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	for _, fd := range fds {
		unix.Close(fd)
	}
}

// descriptor opens something for a client to send. The caller owns it.
func (w *world) descriptor(client, kind int) int {
	var pair [2]int
	var err error
	switch kind % 8 {
	case 0: // the client itself
		pair[0], err = unix.FcntlInt(uintptr(client), unix.F_DUPFD_CLOEXEC, 0)
	case 1:
		pair[0], err = unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	case 2:
		err = unix.Pipe2(pair[:], unix.O_CLOEXEC)
		w.remotes = append(w.remotes, pair[1])
	case 3: // with something to say, and a descriptor in its queue
		if pair, err = unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err == nil {
			err = unix.Sendmsg(pair[1], []byte("421"), unix.UnixRights(pair[1]), nil, 0)
			unix.Close(pair[1])
		}
	default:
		pair, err = unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		w.remotes = append(w.remotes, pair[1])
	}
	if err != nil {
		w.Fatal(err)
	}
	return pair[0]
}

// read reads what there is.
func (w *world) read(fd int) {
	if fd < 0 {
		return
	}
	var receiver attrproto.Receiver
	for buffer := make([]byte, 4096); ; {
		n, fds, err := receiver.Receive(fd, buffer)
		for _, fd := range fds {
			unix.Close(fd)
		}
		if n == 0 || err != nil {
			return
		}
	}
}

// finish makes sure that a new client is served in spite of all the others, and
// ends the world.
func (w *world) finish() {
	if w.server.config.Dialect.Greets {
		w.serves()
	}
	for i := range w.clients {
		w.hangUp(i)
	}
	for _, fd := range w.remotes {
		unix.Close(fd)
	}
	w.settle()
	w.server.Close()
	for deadline := time.Now().Add(10 * time.Second); w.server.descriptors.open.Load() != 0; time.Sleep(100 * time.Microsecond) {
		if time.Now().After(deadline) {
			w.Fatalf("%d descriptors are still to be closed", w.server.descriptors.open.Load())
		}
	}
}

func (w *world) serves() {
	fd := w.connect()
	defer unix.Close(fd)
	w.settle()
	if _, err := unix.Write(fd, []byte(nothing)); err != nil {
		w.Fatal(err)
	}
	w.settle()
	buffer := make([]byte, 4096)
	n, err := unix.Read(fd, buffer)
	if want := greeting + missed; err != nil || string(buffer[:n]) != want {
		w.Fatalf("a new client reads %q, %v; want %q", buffer[:max(n, 0)], err, want)
	}
}

// fuzzSeeds are the conversations with the reference, as tapes, in each dialect;
// and one with everything else.
func fuzzSeeds(f *testing.F) (seeds [][]byte) {
	text, err := os.ReadFile("../../testdata/transcripts/wire-3.12.json")
	if err != nil {
		f.Fatal(err)
	}
	var transcripts []transcript
	if err := json.Unmarshal(text, &transcripts); err != nil {
		f.Fatal(err)
	}
	for i, tr := range transcripts {
		tape := []byte{byte(i % 16), tapeConnect}
		for _, step := range tr.Steps {
			data := latin1(step.Data)
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
