package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A world is what a daemon finds when it starts: a configuration directory, a
// queue directory, a log service. In texts, DIR stands for where it is.
type world struct {
	dir string // with "conf" and "queue" in it; short, for the sake of socket paths
	log *logService
}

// newWorld makes a world whose main.cf sends the log to the log service.
func newWorld(t *testing.T, maincf string) *world {
	t.Helper()
	dir, err := os.MkdirTemp("", "sc")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	w := &world{dir: dir}
	for _, sub := range []string{"", "conf", "queue", "queue/public"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	w.write(t, "conf/main.cf", "queue_directory = DIR/queue\nmaillog_file = /var/log/x\n"+maincf)
	w.log = listenLog(t, filepath.Join(dir, "queue/public/postlog"))
	return w
}

// write makes a file. The reference waits for one that has just been written to
// settle.
func (w *world) write(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.WriteFile(path, []byte(w.expand(text)), 0o644); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, long, long); err != nil {
		t.Fatal(err)
	}
}

func (w *world) expand(text string) string { return strings.ReplaceAll(text, "DIR", w.dir) }

func (w *world) expandAll(texts []string) []string {
	all := make([]string, len(texts))
	for i, text := range texts {
		all[i] = w.expand(text)
	}
	return all
}

// env is what a process of this world finds in its environment, more or
// replaced by extra.
func (w *world) env(extra ...string) []string {
	base := []string{"PATH=/usr/bin:/bin", "MAIL_CONFIG=DIR/conf", "POSTLOG_SERVICE=DIR/queue/public/postlog", "POSTLOG_HOSTNAME=early"}
	return w.expandAll(append(base, extra...))
}

// getenv looks into env, where the last one wins.
func getenv(env []string) func(string) (string, bool) {
	values := make(map[string]string)
	for _, assignment := range env {
		name, value, _ := strings.Cut(assignment, "=")
		values[name] = value
	}
	return func(name string) (string, bool) {
		value, ok := values[name]
		return value, ok
	}
}

// A logService is the far end of a log socket.
type logService struct {
	t    *testing.T
	path string
	fd   int

	mu      sync.Mutex
	records []string
	done    chan struct{}
}

// listenLog makes a log service that reads all the time.
func listenLog(t *testing.T, path string) *logService {
	t.Helper()
	s := bindLog(t, path)
	s.done = make(chan struct{})
	go s.read()
	return s
}

// bindLog makes a log service that does not read.
func bindLog(t *testing.T, path string) *logService {
	t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(path)
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	s := &logService{t: t, path: path, fd: fd}
	t.Cleanup(s.close)
	return s
}

func (s *logService) read() {
	defer close(s.done)
	buf := make([]byte, 1<<16)
	for {
		n, err := retry(func() (int, error) { return unix.Read(s.fd, buf) })
		if err != nil || n == 0 {
			return
		}
		s.mu.Lock()
		s.records = append(s.records, string(buf[:n]))
		s.mu.Unlock()
	}
}

// drain reads what is there, without waiting.
func (s *logService) drain() []string {
	var records []string
	buf := make([]byte, 1<<16)
	for {
		n, _, err := unix.Recvfrom(s.fd, buf, unix.MSG_DONTWAIT)
		if err != nil {
			return records
		}
		records = append(records, string(buf[:n]))
	}
}

func (s *logService) close() {
	if s.fd < 0 {
		return
	}
	if s.done != nil {
		unix.Shutdown(s.fd, unix.SHUT_RD) // wakes the reader
		<-s.done
	}
	unix.Close(s.fd)
	s.fd = -1
}

// all returns the records so far.
func (s *logService) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.records...)
}

// texts returns the records so far without time, host and tag.
func (s *logService) texts() []string {
	var texts []string
	for _, record := range s.all() {
		_, text, ok := strings.Cut(record, "]: ")
		if !ok {
			s.t.Errorf("log record %q has no process number", record)
		}
		texts = append(texts, text)
	}
	return texts
}

// eventually ends the test if a condition does not come true.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	if !waitFor(condition) {
		t.Fatalf("waited in vain for %s", what)
	}
}

// waitFor waits for a condition, but not for ever.
func waitFor(condition func() bool) bool {
	deadline := time.Now().Add(20 * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(time.Millisecond)
	}
	return true
}
