package server

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"scache/compat/wire"
	"scache/scached/cache"
	"scache/scached/protocol"
)

var nothing = wire.FindEndpoint("nothing")

// patience is how long a client waits for a server that is not stepped through.
const patience = 2 * time.Second

// places is how many clients a tape can have at a time. That is more than the
// server wants.
const places = 8

// A world is a server with its clients.
type world struct {
	*testing.T
	server  *Server
	path    string
	log     *recorder
	clients [places]*wire.Client // nil for none
	remotes []int                // owned; other ends of what was sent
	start   time.Time
	passed  time.Duration // as the tape says, not the clock
	filled  bool
}

func newWorld(t *testing.T, listen int, path string, settings int) *world {
	w := &world{T: t, path: path, log: &recorder{}}
	server, err := New(Config{
		Name: "scache", Dialect: protocol.Dialects[settings%len(protocol.Dialects)], TTLLimit: 2 * time.Second, Log: w.log,
		Listen: []int{listen}, Master: -1, Notify: func(bool) {}, LiveCheck: settings&4 != 0, Verbose: settings&8 != 0,
		MaxIdle: 1000 * time.Hour, IPCTimeout: time.Minute, Statistics: time.Hour, StringLimit: 1024,
		Flooded:    func() bool { return settings&1 == 0 },
		Limits:     cache.Limits{Sessions: 6, EndpointSessions: 4, Bindings: 6, DestinationBindings: 4, Memory: 24 << 10},
		MaxClients: places - 2,
	})
	if err != nil {
		t.Fatal(err)
	}
	server.capacity = 10
	w.server, w.start = server, server.now
	return w
}

// settle steps through the server's loop until there is nothing to do.
func (w *world) settle() {
	const many = 10_000
	rested := 0 // turns; in the first one a timer may have done something
	for range many {
		s := w.server
		events, _, err := s.kernel.Wait(s.now, 0)
		if err != nil {
			w.Fatal(err)
		}
		s.now = w.start.Add(w.passed)
		rest := len(events)+len(s.descriptors.closing) == 0
		s.turn(events)
		w.check()
		if !rest || len(s.descriptors.closing) > 0 {
			rested = 0
			if s.descriptors.moving() {
				time.Sleep(10 * time.Microsecond) // there may be clients that have to wait for it
			}
		} else if rested++; rested == 2 {
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
	if count != s.count || count > s.config.MaxClients {
		w.Fatalf("%d clients; the server thinks %d", count, s.count)
	}
	memory := s.service.Cache.Memory
	if held != memory.Conversations || memory.Held() > memory.Limit {
		w.Fatalf("clients hold %d bytes; memory is %+v", held, memory)
	}
	size := s.service.Cache.Size()
	if size.Sessions > s.config.Limits.Sessions || size.Bindings > s.config.Limits.Bindings {
		w.Fatalf("the cache holds %+v", size)
	}
	if open := s.descriptors.unclosed(); open < size.Sessions {
		w.Fatalf("%d descriptors for %d sessions", open, size.Sessions)
	}
}

func (w *world) connect() *wire.Client {
	c, err := wire.Dial(w.path, patience)
	if err != nil {
		w.Fatal(err)
	}
	return c
}

func (w *world) hangUp(place int) {
	if c := w.clients[place]; c != nil {
		c.Close()
		w.clients[place] = nil
	}
}

// send sends bytes, with what the decision says: a number of descriptors and of
// what kind they are.
func (w *world) send(c *wire.Client, data string, decision int) {
	if c == nil || len(data) == 0 {
		return
	}
	var fds []int
	for range []int{0, 0, 1, 1, 2, 3, 20, 1}[decision%8] {
		fds = append(fds, w.descriptor(c, decision/8))
	}
	c.TrySend(data, fds...)
	for _, fd := range fds {
		unix.Close(fd)
	}
}

// descriptor opens something for a client to send. The caller owns it.
func (w *world) descriptor(c *wire.Client, kind int) int {
	var pair [2]int
	var err error
	switch kind % 8 {
	case 0: // the client itself
		pair[0], err = unix.FcntlInt(uintptr(c.FD()), unix.F_DUPFD_CLOEXEC, 0)
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
	case 4: // on which something is to be waited for
		if pair[0], err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err == nil {
			err = unix.SetsockoptLinger(pair[0], unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1, Linger: 60})
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

// read reads what there is, and counts descriptors.
func (w *world) read(c *wire.Client) (text string, descriptors int) {
	if c == nil {
		return "", 0
	}
	data, fds, _, err := c.Arrived()
	if err != nil {
		w.Fatal(err)
	}
	for _, fd := range fds {
		unix.Close(fd)
	}
	return string(data), len(fds)
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
	for deadline := time.Now().Add(10 * time.Second); w.server.descriptors.unclosed() != 0; time.Sleep(100 * time.Microsecond) {
		if time.Now().After(deadline) {
			w.Fatalf("%d descriptors are still to be closed", w.server.descriptors.unclosed())
		}
	}
}

func (w *world) serves() {
	c := w.connect()
	defer c.Close()
	w.settle()
	w.send(c, nothing, 0)
	w.settle()
	if got, _ := w.read(c); got != wire.Greeting+wire.Missed {
		w.Fatalf("a new client reads %q, want %q", got, wire.Greeting+wire.Missed)
	}
}

// fill makes the server stop reading from a client that does not read either.
// It takes some hundred replies, so it is done only once.
func (w *world) fill(c *wire.Client) {
	if c != nil && !w.filled {
		w.unread(c)
		w.filled = true
	}
}

// unread asks until the server waits for some client to read, and returns how
// often.
func (w *world) unread(c *wire.Client) (n int) {
	const most = 1000
	for n < most && !w.waiting() {
		w.send(c, nothing, 0)
		w.settle()
		n++
	}
	return n
}

// waiting tells whether the server waits for a client to read.
func (w *world) waiting() bool {
	c := w.server.busy.first
	return c != nil && c.writing()
}

// readAll reads whenever the server has written, until it writes no more.
func (w *world) readAll(c *wire.Client) (text string, fds int) {
	for {
		got, n := w.read(c)
		if got == "" {
			return text, fds
		}
		text += got
		fds += n
		w.settle()
	}
}

// listener is a listening socket, until the test ends.
func listener(f testing.TB) (fd int, path string) {
	f.Helper()
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
