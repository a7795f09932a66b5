package master

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A StatusRecord is one message of a daemon to its master, as the daemon sent it
// (src/master/master_proto.h).
type StatusRecord struct {
	PID        int32
	Generation uint32
	State      int32
}

// The states of a daemon, as its master understands them.
const (
	StatusTaken     = 0
	StatusAvailable = 1
)

const statusRecordLen = 12

// A statusReader drains the master's end of the status channel.
type statusReader struct {
	file *os.File // owned

	mu      sync.Mutex
	records []StatusRecord
	first   time.Time // when the first of them came
	err     error
	done    chan struct{}
}

// newStatusReader takes ownership of file. With drain false nothing is read,
// as with a master that is stuck.
func newStatusReader(file *os.File, drain bool) *statusReader {
	r := &statusReader{file: file, done: make(chan struct{})}
	if drain {
		go r.read()
	} else {
		close(r.done)
	}
	return r
}

func (r *statusReader) read() {
	defer close(r.done)
	var buf [statusRecordLen]byte
	for {
		n, err := io.ReadFull(r.file, buf[:])
		if err == io.ErrUnexpectedEOF {
			r.mu.Lock()
			r.err = fmt.Errorf("partial status record of %d bytes", n)
			r.mu.Unlock()
		}
		if err != nil {
			return // the daemon has ended, or the channel was hung up
		}
		r.add(buf[:])
	}
}

// collect takes the records that are there.
func (r *statusReader) collect() error {
	for {
		var buf [100 * statusRecordLen]byte
		n, _, err := unix.Recvfrom(int(r.file.Fd()), buf[:], unix.MSG_DONTWAIT)
		switch {
		case err == unix.EAGAIN || err == unix.ECONNRESET || err == nil && n == 0:
			return nil
		case err != nil:
			return fmt.Errorf("status channel: %w", err)
		case n%statusRecordLen != 0: // a record is written at once
			return fmt.Errorf("partial status record: %d bytes", n)
		}
		r.add(buf[:n])
	}
}

func (r *statusReader) add(data []byte) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.records) == 0 {
		r.first = now
	}
	for buf := range slices.Chunk(data, statusRecordLen) {
		r.records = append(r.records, StatusRecord{
			PID:        int32(binary.NativeEndian.Uint32(buf[0:])),
			Generation: binary.NativeEndian.Uint32(buf[4:]),
			State:      int32(binary.NativeEndian.Uint32(buf[8:])),
		})
	}
}

func (r *statusReader) since(n int) ([]StatusRecord, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.records[n:]), r.err
}

func (r *statusReader) firstAt() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.first
}

// close hangs up: the daemon sees its master gone.
func (r *statusReader) close() {
	r.file.Close()
	<-r.done
}
