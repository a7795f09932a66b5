package daemon

import (
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// stderrSize is how many bytes wait to be written to standard error. With -v a
// client's requests of 16 kB come to twice that in lines, several of them in a turn
// of the loop, before the goroutine that writes has had a processor.
const stderrSize = 1 << 20

// A stderrWriter writes lines to standard error, which may be a pipe that nobody
// reads or a terminal that was stopped. That stops a goroutine of its own and
// nobody else. Lines that find no room are left out.
type stderrWriter struct {
	fd   int // borrowed
	wake chan struct{}

	mu      sync.Mutex
	pending []byte
	writing []byte // what the goroutine has taken
}

func newStderrWriter(fd int) *stderrWriter {
	w := &stderrWriter{fd: fd, wake: make(chan struct{}, 1)}
	go w.run()
	return w
}

// write takes a line. It does not wait.
func (w *stderrWriter) write(tag, label string, text []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.pending)+len(tag)+len(label)+len(text)+3 > stderrSize {
		return
	}
	w.pending = append(w.pending, tag...)
	w.pending = append(w.pending, ": "...)
	w.pending = append(w.pending, label...)
	w.pending = append(w.pending, text...)
	w.pending = append(w.pending, '\n')
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *stderrWriter) run() {
	for range w.wake {
		w.mu.Lock()
		w.pending, w.writing = w.writing[:0], w.pending
		text := w.writing
		w.mu.Unlock()
		for len(text) > 0 {
			n, err := retry(func() (int, error) { return unix.Write(w.fd, text) })
			if err == unix.EAGAIN {
				writable(w.fd, time.Second)
			} else if err != nil {
				break
			}
			text = text[max(n, 0):]
		}
		w.mu.Lock()
		w.writing = w.writing[:0]
		w.mu.Unlock()
	}
}

// drain waits until everything is written, or until the deadline. A nil writer
// has nothing to write.
func (w *stderrWriter) drain(deadline time.Time) {
	for w != nil {
		w.mu.Lock()
		done := len(w.pending)+len(w.writing) == 0
		w.mu.Unlock()
		if done || !time.Now().Before(deadline) {
			return
		}
		pause(time.Millisecond)
	}
}
