package master

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// A LogLine is one line that a Postfix program logged.
type LogLine struct {
	At   time.Time // when it arrived here
	Raw  string    // as it was received, without the line's end
	Tag  string    // "postfix/scache", without the process number; empty when the line has none
	PID  int       // 0 when the line has none, as on standard error
	Text string    // what the daemon said, with its label: "warning: ..."
}

// A Log collects lines in the order in which they arrived. Its methods may be
// called from any goroutine.
type Log struct {
	mu      sync.Mutex
	lines   []LogLine
	changed chan struct{} // closed and replaced with every line
}

// NewLog returns a log without lines.
func NewLog() *Log {
	return &Log{changed: make(chan struct{})}
}

func (l *Log) add(line LogLine) {
	line.At = time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
	close(l.changed)
	l.changed = make(chan struct{})
}

// Mark returns the number of lines so far, for [Log.Since] and [Log.WaitSince].
func (l *Log) Mark() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.lines)
}

// Lines returns a copy of all lines so far.
func (l *Log) Lines() []LogLine { return l.Since(0) }

// Since returns a copy of the lines after mark.
func (l *Log) Since(mark int) []LogLine {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]LogLine(nil), l.lines[mark:]...)
}

// Texts returns the texts of all lines so far, without time, host and tag.
func (l *Log) Texts() []string {
	lines := l.Lines()
	texts := make([]string, len(lines))
	for i, line := range lines {
		texts[i] = line.Text
	}
	return texts
}

// Matching returns the lines whose raw form contains substr.
func (l *Log) Matching(substr string) []LogLine {
	var found []LogLine
	for _, line := range l.Lines() {
		if strings.Contains(line.Raw, substr) {
			found = append(found, line)
		}
	}
	return found
}

// Wait returns the first line whose raw form contains substr, waiting for it
// no longer than timeout. The error quotes the log.
func (l *Log) Wait(substr string, timeout time.Duration) (LogLine, error) {
	return l.WaitSince(0, substr, timeout)
}

// WaitSince is [Log.Wait] for the lines after mark.
func (l *Log) WaitSince(mark int, substr string, timeout time.Duration) (LogLine, error) {
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	next := mark
	for {
		l.mu.Lock()
		for ; next < len(l.lines); next++ {
			if line := l.lines[next]; strings.Contains(line.Raw, substr) {
				l.mu.Unlock()
				return line, nil
			}
		}
		changed := l.changed
		l.mu.Unlock()
		select {
		case <-changed:
		case <-deadline.C:
			return LogLine{}, fmt.Errorf("wait for log line %q: none within %v; the log is:\n%s", substr, timeout, l.Tail(mark, 50))
		}
	}
}

// Tail returns at most the last n raw lines after mark, for messages.
func (l *Log) Tail(mark, n int) string {
	lines := l.Since(mark)
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	var b strings.Builder
	for _, line := range lines {
		b.WriteString("\t" + line.Raw + "\n")
	}
	return b.String()
}

// RawLines returns the lines as they were received, each with its end.
func RawLines(lines []LogLine) string {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(line.Raw + "\n")
	}
	return b.String()
}
