package daemon

import (
	"bytes"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A service that does not read costs nobody any time, and it gets what there is
// room for once it reads again. Only what nobody had room for is lost.
func TestLogServiceIsStuck(t *testing.T) {
	service := bindLog(t, testSocket(t))
	l := testLog()
	defer l.close(t)
	l.useSyslog("t", service.path)
	const lines = 5000 // more than any queue and the backlog hold
	var longest time.Duration
	for i := range lines {
		start := time.Now()
		l.Info("x" + strconv.Itoa(i))
		longest = max(longest, time.Since(start))
	}
	if longest > time.Second/2 {
		t.Errorf("a line took %v", longest)
	}
	l.mu.Lock()
	lost, waiting := l.lost, len(l.backlog.records)
	l.mu.Unlock()
	if lost == 0 || waiting > backlogSize {
		t.Fatalf("%d lines lost, %d bytes wait", lost, waiting)
	}
	l.now = func() time.Time { return logTime.Add(2 * time.Second) }
	var got []string
	eventually(t, "the lines that had to wait", func() bool {
		got = append(got, service.drain()...)
		return len(got) == lines-lost
	})
	for i, record := range got {
		if !strings.HasSuffix(record, "]: x"+strconv.Itoa(i)) {
			t.Fatalf("record %d is %q", i, record)
		}
	}
	l.Info("y")
	eventually(t, "the rest", func() bool {
		got = append(got, service.drain()...)
		return len(got) == lines-lost+2
	})
	last := got[len(got)-2:]
	if !strings.HasSuffix(last[0], "]: warning: log lines lost: "+strconv.Itoa(lost)) || !strings.HasSuffix(last[1], "]: y") {
		t.Errorf("afterwards: %q", last)
	}
}

// A fatal line is worth waiting for even if the service is stuck.
func TestFatalWaitsForAStuckService(t *testing.T) {
	service := bindLog(t, testSocket(t))
	l := testLog()
	defer l.close(t)
	l.exit = func(int) {}
	l.useSyslog("t", service.path)
	for range 500 { // more than the queue holds
		l.Info("x")
	}
	drained := make(chan []string)
	go func() {
		var records []string
		eventually(t, "the fatal line", func() bool {
			records = append(records, service.drain()...)
			return len(records) > 500
		})
		drained <- records
	}()
	l.Fatal("end")
	l.mu.Lock()
	if !l.backlog.empty() {
		t.Error("it was not waited for")
	}
	l.mu.Unlock()
	records := <-drained
	if last := records[len(records)-1]; !strings.HasSuffix(last, "]: fatal: end") {
		t.Errorf("the last record is %q", last)
	}
}

// A service that never reads again keeps a process for a second.
func TestLastLinesOfAStuckService(t *testing.T) {
	service := bindLog(t, testSocket(t))
	l := testLog()
	defer l.close(t)
	l.useSyslog("t", service.path)
	for range 500 {
		l.Info("x")
	}
	start := time.Now()
	l.LastLines()
	for range 20 {
		l.Info("y")
	}
	if took := time.Since(start); took < time.Second/2 || took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

// All that a turn of the loop has to say finds room, even if there is one processor
// and who writes it gets a turn only afterwards.
func TestStderrBurst(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	w := newStderrWriter(int(write.Fd()))
	const lines, size = 40, 16 << 10
	text := bytes.Repeat([]byte("x"), size)
	for range lines {
		w.write("t", "", text)
	}
	got := make(chan int)
	go func() {
		data, _ := io.ReadAll(read)
		got <- bytes.Count(data, []byte("\n"))
	}()
	w.drain(time.Now().Add(10 * time.Second))
	write.Close()
	if n := <-got; n != lines {
		t.Errorf("%d of %d lines", n, lines)
	}
}

// Nobody reads standard error: neither who logs waits, nor who waits for the
// log's lock, and the log service gets its lines.
func TestStderrIsStuck(t *testing.T) {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pipe[0])
	service := bindLog(t, testSocket(t))
	l := testLog()
	defer l.close(t)
	l.useSyslog("t", service.path)
	l.useStderr("t", pipe[1])
	const lines = 50
	start := time.Now()
	for i := range lines {
		l.Info(strconv.Itoa(i) + strings.Repeat("x", 10000))
		if got := service.drain(); len(got) != 1 {
			t.Fatalf("the log service got %d records of line %d", len(got), i)
		}
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
	exited := make(chan struct{})
	l.exit = func(int) { close(exited) }
	go l.Fatal("watchdog timeout")
	select {
	case <-exited:
	case <-time.After(10 * time.Second):
		t.Error("a fatal error waits for standard error")
	}
	// Somebody reads again: whole lines in their order, as many as there was room
	// for.
	last := -1
	for _, line := range strings.SplitAfter(readText(t, pipe[0], 6*10000), "\n")[:5] {
		number, rest, _ := strings.Cut(strings.TrimPrefix(line, "t: "), "x")
		n, err := strconv.Atoi(number)
		if err != nil || n <= last || rest != strings.Repeat("x", 9999)+"\n" {
			t.Errorf("line %.20q of %d bytes after line %d", line, len(line), last)
		}
		last = n
	}
}

func readText(t *testing.T, fd, size int) string {
	t.Helper()
	text := make([]byte, 0, size)
	for len(text) < size {
		if !readable(fd) {
			t.Fatalf("only %d bytes of %d", len(text), size)
		}
		n, err := unix.Read(fd, text[len(text):size])
		if err != nil || n == 0 {
			t.Fatalf("%d, %v after %d bytes", n, err, len(text))
		}
		text = text[:len(text)+n]
	}
	return string(text)
}

func readable(fd int) bool {
	fds := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fds[:], 20000)
		if err != unix.EINTR {
			return n == 1
		}
	}
}
