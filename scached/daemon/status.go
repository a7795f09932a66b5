package daemon

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// The descriptors that master(8) hands to a service, and the states that the
// service tells it (src/master/master_proto.h).
const (
	flowReadFD  = 3
	flowWriteFD = 4
	statusFD    = 5
	listenFD    = 6 // the first one

	StateTaken     = 0
	StateAvailable = 1
)

// A Status is our end of the status channel. When it becomes readable, or fails,
// master(8) has gone or wants us to go.
type Status struct {
	FD         int // borrowed from master(8), shared with it: its flags are not ours to change; -1 for none
	PID        int
	Generation uint32
	// WithoutGeneration leaves the generation out of the records. A master(8) that
	// sets none in the environment expects that, as the snapshot 20040720 does.
	WithoutGeneration bool

	record [12]byte // so that none of the heap is needed for it
}

// Notify writes one record: process number, generation and state, as three
// native words (src/master/master_proto.c), or without the generation. It never
// blocks; a channel without room is unix.EAGAIN, and nothing was written. Any other
// error means that there is no master(8) any more. Without a channel there is
// nobody to tell.
func (s *Status) Notify(state int) error {
	if s.FD < 0 {
		return nil
	}
	record := binary.NativeEndian.AppendUint32(s.record[:0], uint32(s.PID))
	if !s.WithoutGeneration {
		record = binary.NativeEndian.AppendUint32(record, s.Generation)
	}
	record = binary.NativeEndian.AppendUint32(record, uint32(state))
	err := s.send(record)
	if err == unix.ENOTSOCK {
		// Where pipes go both ways master(8) uses one. A pipe that is ready has
		// room for a page, and nobody else writes to it.
		if !writable(s.FD, 0) {
			return unix.EAGAIN
		}
		return s.write(record)
	}
	return err
}

func (s *Status) write(record []byte) error {
	for {
		if _, err := unix.Write(s.FD, record); err != unix.EINTR {
			return err
		}
	}
}

func (s *Status) send(record []byte) error {
	for {
		err := unix.Send(s.FD, record, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		if err != unix.EINTR {
			return err
		}
	}
}
