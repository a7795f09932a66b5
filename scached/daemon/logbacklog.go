package daemon

import (
	"encoding/binary"
	"time"

	"golang.org/x/sys/unix"
)

// backlogSize is how many bytes of records wait for a log service that is busy.
const backlogSize = 1 << 16

// A backlog holds the records that a log service had no room for, in their order.
// A goroutine of its own waits for the service, so that nobody else has to.
type backlog struct {
	records []byte        // each after its length in two bytes
	start   int           // records[:start] have been sent
	wake    chan struct{} // that there are some; nil before the first ones
}

func (b *backlog) empty() bool { return b.start == len(b.records) }

// add reports whether there was room.
func (b *backlog) add(record []byte) bool {
	if b.empty() {
		b.records, b.start = b.records[:0], 0
	}
	if len(b.records)+2+len(record) > backlogSize {
		return false
	}
	b.records = binary.NativeEndian.AppendUint16(b.records, uint16(len(record)))
	b.records = append(b.records, record...)
	return true
}

// first is the record that has waited for longest.
func (b *backlog) first() []byte {
	size := int(binary.NativeEndian.Uint16(b.records[b.start:]))
	return b.records[b.start+2:][:size]
}

func (b *backlog) drop() { b.start += 2 + len(b.first()) }

// deliver sends a record, or keeps it for later if the service has no room. It
// reports false if the record is lost. The caller holds the lock.
func (l *Log) deliver(record []byte) bool {
	if l.backlog.empty() {
		if err := l.sock.send(record); err != unix.EAGAIN {
			return err == nil
		}
	}
	if !l.backlog.add(record) {
		return false
	}
	if l.backlog.wake == nil {
		l.backlog.wake = make(chan struct{}, 1)
		go l.sendBacklog()
	}
	select {
	case l.backlog.wake <- struct{}{}:
	default:
	}
	return true
}

// sendBacklog sends what had to wait, whenever there is something.
func (l *Log) sendBacklog() {
	for range l.backlog.wake {
		for {
			l.mu.Lock()
			sent, fd := l.flush(), l.sock.fd
			l.mu.Unlock()
			if sent {
				break
			}
			writable(fd, time.Second)
		}
	}
}

// flush sends as much of the backlog as the service takes, and reports whether
// that was all. The caller holds the lock.
func (l *Log) flush() bool {
	for !l.backlog.empty() {
		err := l.sock.send(l.backlog.first())
		if err == unix.EAGAIN {
			return false
		}
		if err != nil {
			l.lost++
		}
		l.backlog.drop()
	}
	return true
}

// flushPatiently waits for the service. It is for the last lines of a process.
func (l *Log) flushPatiently() {
	for {
		l.mu.Lock()
		sent, fd, left := l.flush(), l.sock.fd, time.Until(l.deadline)
		l.mu.Unlock()
		if sent || left <= 0 {
			return
		}
		writable(fd, left)
	}
}
