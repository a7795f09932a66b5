package server

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

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

// startServer runs a server on a socket of its own until the test ends.
func startServer(t *testing.T, change func(*Config)) (path string, log *recorder) {
	t.Helper()
	listen, path := listener(t)
	log = &recorder{}
	config := Config{
		Name: "scache", Dialect: protocol.Dialects[0], TTLLimit: 2 * time.Second, Log: log,
		Listen: []int{listen}, Master: -1, Notify: func(bool) {}, LiveCheck: true,
		MaxIdle: time.Hour, IPCTimeout: time.Hour, Statistics: time.Hour, StringLimit: 1 << 16,
	}
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
			play(t, path, tr)
			want := strings.Join(tr.Log, "\n")
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
	fd := -1
	defer func() { unix.Close(fd) }()
	for i, step := range tr.Steps {
		var err error
		switch step.Do {
		case "connect":
			fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			if err == nil {
				err = unix.Connect(fd, &unix.SockaddrUnix{Name: path})
			}
		case "send":
			_, err = unix.Write(fd, step.Data)
		case "send_fds":
			err = sendDescriptors(t, fd, step.Data, step.FDs)
		case "shutdown_write":
			err = unix.Shutdown(fd, unix.SHUT_WR)
		default:
			t.Fatalf("unknown step %q", step.Do)
		}
		if err != nil {
			t.Fatalf("step %d, %s: %v", i, step.Do, err)
		}
		got, fds, eof := collect(fd, len(step.Recv), step.Closed != "")
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
func sendDescriptors(t *testing.T, fd int, data []byte, n int) error {
	var fds []int
	for range n {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(pair[0])
		t.Cleanup(func() { unix.Close(pair[1]) })
		fds = append(fds, pair[0])
	}
	return unix.Sendmsg(fd, data, unix.UnixRights(fds...), nil, 0)
}

// collect reads what is expected, and what comes within a moment after that.
func collect(fd, want int, wantEnd bool) (got []byte, fds int, eof bool) {
	buffer := make([]byte, 4096)
	oob := make([]byte, 256)
	for {
		wait := 2000
		if len(got) >= want && !wantEnd {
			wait = 15
		}
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		switch n, err := unix.Poll(poll, wait); {
		case err == unix.EINTR:
			continue
		case n == 0:
			return got, fds, false
		}
		n, oobn, _, _, err := unix.Recvmsg(fd, buffer, oob, unix.MSG_CMSG_CLOEXEC)
		if n <= 0 || err != nil {
			return got, fds, true
		}
		got = append(got, buffer[:n]...)
		if messages, err := unix.ParseSocketControlMessage(oob[:oobn]); err == nil {
			for _, message := range messages {
				rights, _ := unix.ParseUnixRights(&message)
				for _, right := range rights {
					unix.Close(right)
					fds++
				}
			}
		}
	}
}
