package attrproto

import (
	"errors"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Errors about a byte that was to come with a descriptor. The byte is consumed,
// and what came with it is closed.
var (
	ErrNoDescriptor    = errors.New("no descriptor came with the byte")
	ErrManyDescriptors = errors.New("more than one descriptor came with the byte")
	ErrLostDescriptor  = errors.New("the descriptor was lost, most likely for want of a free one")
)

// maxUnclaimed is how many messages with a descriptor may be read before
// anyone asks for one. The protocols that pass descriptors need one.
const maxUnclaimed = 16

// A socket is the stream under a [Conn]. It keeps the descriptors that come with
// the bytes until they are claimed or discarded, so that reading ahead loses none.
// One goroutine may read and another one write.
type socket struct {
	raw      syscall.RawConn
	position int64     // how many bytes were read
	messages []message // with a descriptor, not yet claimed, in order

	receiver Receiver
	reading  readCall
	writing  writeCall
}

// A message is what one receive brought together with descriptors. They belong
// to its last byte, or to an earlier one when the sender sent more in one piece.
type message struct {
	start, end int64 // positions in the stream
	fd         int   // owned; -1 with an error
	err        error
}

type readCall struct {
	p    []byte
	n    int
	fds  []int
	err  error
	call func(fd uintptr) (done bool)
}

type writeCall struct {
	p    []byte
	n    int
	err  error
	call func(fd uintptr) (done bool)
}

// newSocket returns a socket over a connection, which it borrows.
func newSocket(c syscall.Conn) (*socket, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	s := &socket{raw: raw}
	s.reading.call = s.receive
	s.writing.call = s.send
	return s, nil
}

// Read reads what there is, at least one byte. It implements [io.Reader].
func (s *socket) Read(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	r := &s.reading
	r.p = p
	err = s.raw.Read(r.call)
	r.p = nil
	switch {
	case err != nil:
		return 0, err
	case r.err != nil:
		return 0, os.NewSyscallError("recvmsg", r.err)
	}
	if len(r.fds) > 0 || s.receiver.Truncated {
		s.keep(r.n, r.fds)
	}
	s.position += int64(r.n)
	if r.n == 0 {
		return 0, io.EOF
	}
	return r.n, nil
}

func (s *socket) receive(fd uintptr) (done bool) {
	r := &s.reading
	r.n, r.fds, r.err = s.receiver.Receive(int(fd), r.p)
	return r.err != unix.EAGAIN
}

// keep takes ownership of the descriptors that came with the next n bytes.
func (s *socket) keep(n int, fds []int) {
	m := message{start: s.position, end: s.position + int64(n), fd: -1}
	switch {
	case s.receiver.Truncated || len(s.messages) >= maxUnclaimed:
		m.err = ErrLostDescriptor
	case len(fds) > 1:
		m.err = ErrManyDescriptors
	default:
		m.fd = fds[0]
		fds = nil
	}
	closeAll(fds)
	if len(s.messages) < maxUnclaimed {
		s.messages = append(s.messages, m)
	}
}

// claim transfers the descriptor that came with the byte at position, or says
// why there is none.
func (s *socket) claim(position int64) (fd int, err error) {
	s.discard(position)
	if len(s.messages) == 0 || s.messages[0].start > position {
		return -1, ErrNoDescriptor
	}
	m := s.messages[0]
	s.messages = append(s.messages[:0], s.messages[1:]...)
	return m.fd, m.err
}

// discard closes the descriptors that came with bytes before position.
func (s *socket) discard(position int64) {
	passed := 0
	for ; passed < len(s.messages) && s.messages[passed].end <= position; passed++ {
		if m := &s.messages[passed]; m.fd >= 0 {
			unix.Close(m.fd)
		}
	}
	if passed > 0 {
		s.messages = append(s.messages[:0], s.messages[passed:]...)
	}
}

// Write writes all of p. It implements [io.Writer].
func (s *socket) Write(p []byte) (n int, err error) {
	w := &s.writing
	w.p, w.n, w.err = p, 0, nil
	err = s.raw.Write(w.call)
	w.p = nil
	if err == nil && w.err != nil {
		err = os.NewSyscallError("sendmsg", w.err)
	}
	return w.n, err
}

func (s *socket) send(fd uintptr) (done bool) {
	w := &s.writing
	for w.n < len(w.p) {
		n, err := unix.SendmsgN(int(fd), w.p[w.n:], nil, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
		switch err {
		case nil:
			w.n += n
		case unix.EINTR:
		case unix.EAGAIN:
			return false
		default:
			w.err = err
			return true
		}
	}
	return true
}

// sendDescriptor is [SendDescriptor] that waits while the socket has no room.
func (s *socket) sendDescriptor(fd int) error {
	var sendErr error
	err := s.raw.Write(func(sock uintptr) (done bool) {
		sendErr = SendDescriptor(int(sock), fd)
		return sendErr != unix.EAGAIN
	})
	if err == nil && sendErr != nil {
		err = os.NewSyscallError("sendmsg", sendErr)
	}
	return err
}

func closeAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}
