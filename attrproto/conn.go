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
// With find_endp and find_dest of scache(8), the server sends the descriptor:
// without a handshake in the snapshots of 2004, with a dummy before it in Postfix
// 2.2.0 to 2.2.4, and with one before and one after it since. With save_endp the
// client sends it, with none and then one before it: the status that the server
// answers with makes a second one unnecessary. From src/scache/scache.c and
// src/global/scache_clnt.c.
type Handshake struct {
	Before bool // the sender waits for one before it sends the descriptor
	After  bool // and for another one before it closes its own copy
}

// A Conn is one end of a local stream socket over which both lists and
// descriptors travel: lists through In and Out, descriptors through its methods.
// In may read ahead: descriptors that come with what it reads are kept until
// [Conn.ReceiveDescriptor] asks for them, or are closed when In is past them. The
// methods are not for concurrent use.
type Conn struct {
	In  *Reader
	Out *Writer

	sock *socket
	c    syscall.Conn
}

// NewConn takes ownership of a connection, such as a *net.UnixConn. Deadlines are
// for the owner of the Conn to set on the connection.
func NewConn(c syscall.Conn) (*Conn, error) {
	sock, err := newSocket(c)
	if err != nil {
		return nil, fmt.Errorf("attribute connection: %w", err)
	}
	return &Conn{In: NewReader(sock), Out: NewWriter(sock), sock: sock, c: c}, nil
}

// Close closes the connection, and the descriptors that came over it and that
// nobody asked for.
func (c *Conn) Close() error {
	c.sock.discard(c.sock.position)
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
	if err := c.sock.sendDescriptor(fd); err != nil {
		return err
	}
	if h.After {
		return c.await("dummy")
	}
	return nil
}

// ReceiveDescriptor receives a descriptor, which passes to the caller. The
// request or answer that it belongs to must have been read to its end. The
// descriptor is close-on-exec. Nothing else is set on it, and the caller must not
// set anything on a file that other processes have open, too: net.FileConn and
// os.NewFile may make it non-blocking for all of them.
//
// A byte without a descriptor, or with several, is [ErrNoDescriptor] or
// [ErrManyDescriptors]; [ErrLostDescriptor] means that this process, or the
// system, has as many open as it may have. The connection survives these.
func (c *Conn) ReceiveDescriptor(h Handshake) (fd int, err error) {
	if fd, err = c.receive(h); err != nil {
		return -1, fmt.Errorf("receive descriptor: %w", err)
	}
	return fd, nil
}

func (c *Conn) receive(h Handshake) (fd int, err error) {
	if h.Before {
		if err := c.dummy(); err != nil {
			return -1, err
		}
	}
	if fd, err = c.In.receiveDescriptor(); err != nil {
		return -1, err
	}
	if h.After {
		// The descriptor is here; if the sender is not there any more to be
		// told, the next request will show it.
		_ = c.dummy()
	}
	return fd, nil
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
