package tap

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"scache/compat/wire"
	"scache/scached/protocol"
	"scache/scached/server"
)

const patience = 20 * time.Second

// A logger keeps what was logged.
type logger struct {
	mu    sync.Mutex
	lines []string
}

func (l *logger) Info(text string)    { l.add(text) }
func (l *logger) Warning(text string) { l.add("warning: " + text) }

func (l *logger) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
}

func (l *logger) snapshot() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.lines...)
}

// listener is a listening socket, until the test ends.
func listener(t testing.TB) (fd int, path string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "sc")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path = filepath.Join(dir, "s")
	fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 100); err != nil {
		t.Fatal(err)
	}
	return fd, path
}

// startServer runs a connection cache on a socket of its own until the test ends.
func startServer(t testing.TB, dialect protocol.Dialect) (path string) {
	t.Helper()
	listen, path := listener(t)
	s, err := server.New(server.Config{
		Name: "scache", Dialect: dialect, TTLLimit: 100_000 * time.Second, Log: &logger{},
		Listen: []int{listen}, Master: -1, Notify: func(bool) {},
		MaxIdle: time.Hour, IPCTimeout: time.Hour, Statistics: time.Hour, StringLimit: 1 << 16,
	})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Run() }()
	t.Cleanup(func() {
		s.Terminate()
		if err := <-done; err != nil {
			t.Error(err)
		}
		s.Close()
	})
	return path
}

// A tapped server is a relay in front of a server, and what it records.
type tapped struct {
	path      string
	recording string
	relay     *Relay
	recorder  *Recorder
	log       *logger
	done      chan error
}

// startTap runs a relay until it is stopped or the test ends.
func startTap(t testing.TB, server string, o Options) *tapped {
	t.Helper()
	listen, path := listener(t)
	o.Path = filepath.Join(t.TempDir(), "recording")
	if o.SizeLimit == 0 {
		o.SizeLimit, o.Files = 100<<20, 1
	}
	log := &logger{}
	tap := &tapped{path: path, recording: o.Path, log: log, recorder: OpenRecorder(o, log), done: make(chan error, 1)}
	var err error
	tap.relay, err = New(Config{Server: server, Recorder: tap.recorder, Log: log, Listen: []int{listen}, Master: -1, MaxIdle: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	go func() { tap.done <- tap.relay.Run() }()
	t.Cleanup(func() { tap.stop(t) })
	return tap
}

// stop ends the relay; the recording is complete afterwards.
func (tap *tapped) stop(t testing.TB) {
	if tap.relay == nil {
		return
	}
	tap.relay.Terminate()
	if err := <-tap.done; err != nil {
		t.Error(err)
	}
	tap.relay.Close()
	tap.relay = nil
	tap.recorder.Close()
}

func dial(t testing.TB, path string) *wire.Client {
	t.Helper()
	c, err := wire.Dial(path, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// openDescriptors counts those of this process.
func openDescriptors(t testing.TB) int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
