package tap

import (
	"encoding/binary"
	"sync"
	"time"
)

// The kinds of what happens.
const (
	eventConnect  byte = iota // a client has connected
	eventSend                 // it has sent something
	eventReceive              // it was sent something
	eventShutdown             // it will send no more
	eventClose                // it has left
	eventEnd                  // the server has ended the connection
)

// An event is one thing that has happened to a client.
type event struct {
	kind   byte
	client int // number
	at     time.Time
	tokens []int // numbers of the descriptors that came with the data, borrowed
}

const (
	// bufferLimit is how many bytes of events may wait to be written. What comes
	// while so many wait is left out.
	bufferLimit = 8 << 20
	// writeEvery is how long an event waits to be written.
	writeEvery = 100 * time.Millisecond
	// closePatience is how long Close waits for the disk.
	closePatience = 2 * time.Second
)

// A Recorder takes events from the loop of a relay and writes them to a file, from
// a goroutine of its own.
type Recorder struct {
	log  Logger
	kick chan struct{}
	done chan struct{}

	mu     sync.Mutex
	filled []byte // events, see append
	spare  []byte // the other buffer, while nobody writes from it
	lost   int    // events since the last one in filled
	timer  *time.Timer
	closed bool

	// The writer's alone:
	writer writer
	failed time.Time // when it was last said that the file cannot be written
}

// OpenRecorder begins a recording, or goes on with the one that there is. As long
// as its file cannot be opened it warns of that, once a minute, and records nothing.
func OpenRecorder(o Options, log Logger) *Recorder {
	r := &Recorder{log: log, kick: make(chan struct{}, 1), done: make(chan struct{}), writer: writer{options: o}}
	if err := r.writer.open(); err != nil {
		r.complain(err)
	}
	r.timer = time.AfterFunc(1<<62, r.rouse)
	go r.run()
	return r
}

// rouse makes the writer write.
func (r *Recorder) rouse() {
	select {
	case r.kick <- struct{}{}:
	default:
	}
}

// note takes an event, and what was said with it. It never waits for the disk.
func (r *Recorder) note(e event, data []byte) {
	r.mu.Lock()
	if len(r.filled)+len(data)+8*len(e.tokens)+eventOverhead > bufferLimit {
		r.lost++
		r.mu.Unlock()
		return
	}
	if len(r.filled) == 0 {
		r.timer.Reset(writeEvery)
	}
	r.filled = e.append(r.filled, data, r.lost)
	r.lost = 0
	full := len(r.filled) > bufferLimit/4
	r.mu.Unlock()
	if full {
		r.rouse()
	}
}

// eventOverhead is the most that an event takes besides its data and tokens.
const eventOverhead = 1 + 6*binary.MaxVarintLen64

// append appends an event in the form that next reads. lost is how many were left
// out before it.
func (e *event) append(p, data []byte, lost int) []byte {
	p = append(p, e.kind)
	p = binary.AppendUvarint(p, uint64(lost))
	p = binary.AppendUvarint(p, uint64(e.client))
	p = binary.AppendUvarint(p, uint64(e.at.UnixMicro()))
	p = binary.AppendUvarint(p, uint64(len(e.tokens)))
	for _, token := range e.tokens {
		p = binary.AppendUvarint(p, uint64(token))
	}
	p = binary.AppendUvarint(p, uint64(len(data)))
	return append(p, data...)
}

// next takes the first event off the events in p, and returns the rest.
func (e *event) next(p []byte) (data []byte, lost int, rest []byte) {
	number := func() int {
		n, length := binary.Uvarint(p)
		p = p[length:]
		return int(n)
	}
	e.kind, p = p[0], p[1:]
	lost = number()
	e.client = number()
	e.at = time.UnixMicro(int64(number()))
	e.tokens = e.tokens[:0]
	for range number() {
		e.tokens = append(e.tokens, number())
	}
	length := number()
	return p[:length], lost, p[length:]
}

// run writes until the recorder is closed.
func (r *Recorder) run() {
	defer close(r.done)
	for {
		<-r.kick
		r.mu.Lock()
		events, lost, closed := r.filled, 0, r.closed
		r.filled = r.spare[:0]
		if closed {
			lost, r.lost = r.lost, 0
		}
		r.mu.Unlock()
		if err := r.writer.write(events, lost); err != nil {
			r.complain(err)
		}
		if closed {
			r.writer.close()
			return
		}
		r.mu.Lock()
		r.spare = events
		r.mu.Unlock()
	}
}

func (r *Recorder) complain(err error) {
	if r.failed.IsZero() || time.Since(r.failed) >= time.Minute {
		r.log.Warning("recording: " + err.Error())
		r.failed = time.Now()
	}
}

// Close writes what is left. It waits for no disk for longer than two seconds.
func (r *Recorder) Close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.timer.Stop()
	r.rouse()
	select {
	case <-r.done:
	case <-time.After(closePatience):
	}
}
