package server

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"scache/compat/wire"
	"scache/scached/protocol"
	"scache/testdata"
)

// A recorder is a logger for tests.
type recorder struct {
	mu    sync.Mutex
	lines []string
}

func (r *recorder) Info(text string)    { r.add(text) }
func (r *recorder) Warning(text string) { r.add("warning: " + text) }

func (r *recorder) add(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, line)
}

func (r *recorder) snapshot() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.lines...)
}

func testConfig(listen int, log *recorder) Config {
	return Config{
		Name: "scache", Dialect: protocol.Current, TTLLimit: 2 * time.Second, Log: log,
		Listen: []int{listen}, Master: -1, Notify: func(bool) {}, LiveCheck: true,
		MaxIdle: time.Hour, IPCTimeout: time.Hour, Statistics: time.Hour, StringLimit: 1 << 16,
	}
}

// startServer runs a server on a socket of its own until the test ends.
func startServer(t *testing.T, change func(*Config)) (path string, log *recorder) {
	t.Helper()
	listen, path := listener(t)
	log = &recorder{}
	config := testConfig(listen, log)
	if change != nil {
		change(&config)
	}
	s, err := New(config)
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
	return path, log
}

// surplus has the conversations in which a client sends a descriptor that nobody
// asked for, with the step in which it does. It gets the reference's answer, and
// is then disconnected.
var surplus = map[string]int{"two_fds": 2, "three_fds": 2, "fd_pipelined_with_request": 1}

const surplusWarning = "warning: disconnected 1 client that sent descriptors nobody asked for"

// TestTranscripts plays what clients sent to the reference, and compares what
// they get and what is logged with what the reference sent and logged.
func TestTranscripts(t *testing.T) {
	conversations, err := testdata.Conversations()
	if err != nil {
		t.Fatal(err)
	}
	for _, tr := range conversations {
		t.Run(tr.Name, func(t *testing.T) {
			t.Parallel()
			path, log := startServer(t, nil)
			want := strings.Join(tr.Log, "\n")
			if last, ok := surplus[tr.Name]; ok {
				tr.Steps = tr.Steps[:last+1]
				tr.Steps[last].Closed = "eof"
				want += "\n" + surplusWarning
			}
			play(t, path, tr)
			var got string
			for end := time.Now().Add(2 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
				if got = printable(strings.Join(log.snapshot(), "\n")); got == want {
					break
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("log (-reference +ours):\n%s", diff)
			}
		})
	}
}

// printable is what the logger would do, for what the transcripts hold.
func printable(s string) string {
	b := []byte(s)
	for i, c := range b {
		if (c < ' ' || c > '~') && c != '\n' || c == '\n' && i > 0 && strings.HasSuffix(s[:i], ": 2") {
			b[i] = '?'
		}
	}
	return string(b)
}

func play(t *testing.T, path string, tr testdata.Conversation) {
	var c *wire.Client
	defer func() { c.Close() }()
	for i, step := range tr.Steps {
		var err error
		switch step.Do {
		case "connect":
			c, err = wire.Dial(path, patience)
		case "send":
			err = c.Send(string(step.Data))
		case "send_fds":
			err = sendDescriptors(t, c, step.Data, step.FDs)
		case "shutdown_write":
			err = c.Finish()
		default:
			t.Fatalf("unknown step %q", step.Do)
		}
		if err != nil {
			t.Fatalf("step %d, %s: %v", i, step.Do, err)
		}
		got, fds, eof := collect(t, c, len(step.Recv), step.Closed != "")
		if diff := cmp.Diff(string(step.Recv), string(got)); diff != "" {
			t.Errorf("step %d, %s %q: bytes (-reference +ours):\n%s", i, step.Do, step.Data, diff)
		}
		if fds != step.RecvFDs || eof != (step.Closed != "") {
			t.Errorf("step %d, %s %q: %d descriptors, end %v; want %d, %v",
				i, step.Do, step.Data, fds, eof, step.RecvFDs, step.Closed != "")
		}
	}
}

// sendDescriptors sends n sessions, whose remote ends are open until the test ends.
func sendDescriptors(t *testing.T, c *wire.Client, data []byte, n int) error {
	var fds []int
	for range n {
		s, err := wire.Pair()
		if err != nil {
			return err
		}
		defer s.CloseLocal()
		t.Cleanup(s.CloseRemote)
		fds = append(fds, s.Local)
	}
	return c.Send(string(data), fds...)
}

// collect reads what is expected, and what comes within a moment after that.
func collect(t *testing.T, c *wire.Client, want int, wantEnd bool) (got []byte, fds int, ended bool) {
	const moment = 15 * time.Millisecond
	for !ended {
		wait := patience
		if len(got) >= want && !wantEnd {
			wait = moment
		}
		if !c.Await(wait) {
			break
		}
		data, more, end, err := c.Arrived()
		if err != nil {
			t.Fatal(err)
		}
		got, fds, ended = append(got, data...), fds+len(more), end
		for _, fd := range more {
			unix.Close(fd)
		}
	}
	return got, fds, ended
}
