package attrproto

import (
	"errors"
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// A Descriptor owns a file descriptor that came over a socket. It is a plain
// number to this package: nothing is set on the open file behind it, which
// other processes may share. In particular net.FileConn and os.NewFile, which
// make it non-blocking for everyone, are the caller's choice.
//
// Whoever has a Descriptor must call Close or Release in the end. The methods
// are for concurrent use.
type Descriptor struct{ fd atomic.Int64 }

// ErrReleased is returned for a Descriptor that owns nothing any more.
var ErrReleased = errors.New("descriptor is closed or released")

// NewDescriptor takes ownership of fd.
func NewDescriptor(fd int) *Descriptor {
	d := new(Descriptor)
	d.fd.Store(int64(fd))
	return d
}

// Int borrows the number, which is valid until Close or Release; after that it
// is -1.
func (d *Descriptor) Int() int { return int(d.fd.Load()) }

// Release transfers the descriptor to the caller. It returns -1 if there is
// nothing to transfer.
func (d *Descriptor) Release() int { return int(d.fd.Swap(-1)) }

// Close closes the descriptor. The second time it returns [ErrReleased].
func (d *Descriptor) Close() error {
	fd := d.Release()
	if fd < 0 {
		return ErrReleased
	}
	return os.NewSyscallError("close", unix.Close(fd))
}
