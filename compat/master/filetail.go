package master

import (
	"bufio"
	"errors"
	"io"
	"os"
	"strings"
	"time"
)

// A FileTail adds the lines of a growing log file to a Log.
type FileTail struct {
	ending chan struct{}
	done   chan struct{}
}

// TailFile starts to read path, which need not exist yet. The caller calls
// [FileTail.Stop].
func TailFile(path string, log *Log) *FileTail {
	t := &FileTail{ending: make(chan struct{}), done: make(chan struct{})}
	go t.run(path, log)
	return t
}

// Stop returns when what the file holds is in the Log.
func (t *FileTail) Stop() {
	close(t.ending)
	<-t.done
}

const tailInterval = 10 * time.Millisecond

func (t *FileTail) run(path string, log *Log) {
	defer close(t.done)
	ticker := time.NewTicker(tailInterval)
	defer ticker.Stop()
	var file *os.File
	var lines *bufio.Reader
	var partial strings.Builder
	for last := false; ; {
		if file == nil {
			if file, _ = os.Open(path); file != nil {
				defer file.Close()
				lines = bufio.NewReader(file)
			}
		}
		if file != nil {
			readLines(lines, &partial, log)
		}
		if last {
			return
		}
		select {
		case <-ticker.C:
		case <-t.ending:
			last = true
		}
	}
}

// readLines adds all complete lines that there are. What comes after them
// stays in partial.
func readLines(lines *bufio.Reader, partial *strings.Builder, log *Log) {
	for {
		text, err := lines.ReadString('\n')
		partial.WriteString(text)
		if err != nil {
			if !errors.Is(err, io.EOF) {
				log.add(LogLine{Raw: "cannot read the log file: " + err.Error()})
			}
			return
		}
		log.add(parseFileLine(strings.TrimSuffix(partial.String(), "\n")))
		partial.Reset()
	}
}
