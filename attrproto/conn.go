package attrproto

import (
	"errors"
	"fmt"
	"io"
	"syscall"
)

// A Handshake is how two processes keep in step around a descriptor: by empty
// attributes, named dummy, that the receiver of the descriptor sends. Some
// kernels need that; the protocol has it everywhere.
//
// The server of scache(8) receives with save_endp, and sends with find_endp and
// find_dest. From src/scache/scache.c and src/global/scache_clnt.c.
type Handshake struct {
	Before bool // the sender waits for one before it sends the descriptor
	After  bool // and for another one before it closes its own copy
}

// The handshakes of the versions of Postfix. Each serves for find_endp and
// find_dest; [Handshake.Save] is the one for save_endp.
var (
	Handshake2004 = Handshake{}                          // snapshots of 2004
	Handshake22   = Handshake{Before: true}              // 2.2.0 to 2.2.4
	Handshake23   = Handshake{Before: true, After: true} // 2.2.5 and later
)

// Save is the handshake of save_endp in the same version: the status that the
// server answers with makes the second dummy unnecessary.
func (h Handshake) Save() Handshake { return Handshake{Before: h.Before} }

// A Conn is one end of a local stream socket that both lists and descriptors
// travel over. Its methods are not for concurrent use.
type Conn struct {
	In  *Reader
	Out *Writer

	sock *Socket
	c    syscall.Conn
}

// NewConn takes ownership of a connection: a *net.UnixConn or a [RawSocket].
// Deadlines are set on the connection.
func NewConn(c syscall.Conn) (*Conn, error) {
	sock, err := NewSocket(c)
	if err != nil {
		return nil, fmt.Errorf("attribute connection: %w", err)
	}
	return &Conn{In: NewReader(sock), Out: NewWriter(sock), sock: sock, c: c}, nil
}

// Close closes the connection, and the descriptors that came over it and that
// nobody asked for.
func (c *Conn) Close() error {
	c.sock.Close()
	if closer, ok := c.c.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}

// SendDescriptor sends a descriptor, which it borrows, and when it returns the
// receiver has one of its own, as far as the handshake tells. The request or
// answer that the descriptor belongs to must have been sent.
func (c *Conn) SendDescriptor(fd int, h Handshake) error {
	if err := c.send(fd, h); err != nil {
		return fmt.Errorf("send descriptor: %w", err)
	}
	return nil
}

func (c *Conn) send(fd int, h Handshake) error {
	if h.Before {
		if err := c.await("dummy"); err != nil {
			return err
		}
	}
	if err := c.sock.SendDescriptor(fd); err != nil {
		return err
	}
	if h.After {
		return c.await("dummy")
	}
	return nil
}

// ReceiveDescriptor receives a descriptor. The request or answer that it
// belongs to must have been read to its end. The descriptor is close-on-exec,
// and otherwise as the sender left it.
//
// A byte without a descriptor, or with several, is [ErrNoDescriptor] or
// [ErrManyDescriptors]; [ErrLostDescriptor] means that this process, or the
// system, has as many open as it may have. The connection survives these.
func (c *Conn) ReceiveDescriptor(h Handshake) (*Descriptor, error) {
	d, err := c.receive(h)
	if err != nil {
		return nil, fmt.Errorf("receive descriptor: %w", err)
	}
	return d, nil
}

func (c *Conn) receive(h Handshake) (*Descriptor, error) {
	if h.Before {
		if err := c.dummy(); err != nil {
			return nil, err
		}
	}
	fd, err := c.In.receiveDescriptor()
	if err != nil {
		return nil, err
	}
	if h.After {
		// The descriptor is here; if the sender is not there any more to be
		// told, the next request will show it.
		_ = c.dummy()
	}
	return NewDescriptor(fd), nil
}

func (c *Conn) dummy() error {
	c.Out.String("dummy", "")
	return c.Out.Send()
}

// await reads a list of one attribute whose value does not matter.
func (c *Conn) await(name string) error {
	_, err := c.In.Scan(FlagStrict, Want{Name: name})
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// errNotSocket is for a Reader over another stream, which cannot carry a
// descriptor.
var errNotSocket = errors.New("the stream is not a socket")

// receiveDescriptor consumes one byte and transfers the descriptor that came
// with it.
func (r *Reader) receiveDescriptor() (fd int, err error) {
	if r.sock == nil {
		return -1, errNotSocket
	}
	if !r.need(1) {
		return -1, r.err
	}
	fd, err = r.sock.claim(r.offset)
	r.consume(1, 0)
	return fd, err
}
