package attrproto

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"golang.org/x/sys/unix"
)

// unixConn makes a net.UnixConn of a socket, which it takes ownership of.
func unixConn(t *testing.T, fd int) *net.UnixConn {
	t.Helper()
	f := os.NewFile(uintptr(fd), "socket")
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(10 * time.Second)) // so that no test can hang
	return c.(*net.UnixConn)
}

// newConn makes a Conn of a socket, which it takes ownership of.
func newConn(t *testing.T, fd int) *Conn {
	t.Helper()
	c, err := NewConn(unixConn(t, fd))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// ends connects two Conns.
func ends(t *testing.T) (a, b *Conn) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return newConn(t, fds[0]), newConn(t, fds[1])
}

// readByteByByte makes a Conn read no more than one byte at a time.
func readByteByByte(c *Conn) { c.In.src = iotest.OneByteReader(c.sock) }

// receiveOne reads a list of one attribute, then a descriptor, then another
// list.
func receiveOne(c *Conn, h Handshake) (fd int, err error) {
	var status int
	if _, err := c.In.Scan(FlagStrict, IntVar("status", &status)); err != nil {
		return -1, err
	}
	if fd, err = c.ReceiveDescriptor(h); err != nil {
		return -1, err
	}
	if _, err := c.In.Scan(FlagStrict, IntVar("next", &status)); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// sendOne is the other end of receiveOne.
func sendOne(c *Conn, h Handshake, fd int) error {
	c.Out.Int("status", 0)
	if err := c.Out.Send(); err != nil {
		return err
	}
	if err := c.SendDescriptor(fd, h); err != nil {
		return err
	}
	c.Out.Int("next", 1)
	return c.Out.Send()
}

// TestConnDeadline waits for what does not come.
func TestConnDeadline(t *testing.T) {
	a, _ := ends(t)
	a.c.(interface{ SetDeadline(time.Time) error }).SetDeadline(time.Now().Add(5 * time.Millisecond))
	_, err := a.In.Scan(FlagStrict, Want{Name: "status"})
	var e *Error
	if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &e) || e.Kind != KindTimeout {
		t.Errorf("read: %v", err)
	}
	for err = nil; err == nil; {
		a.Out.Data("x", make([]byte, 1<<16))
		err = a.Out.Send()
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("write: %v", err)
	}
	if err := a.SendDescriptor(0, Handshake{}); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("send descriptor: %v", err)
	}
}

func TestConnClosed(t *testing.T) {
	a, b := ends(t)
	b.Close()
	if _, err := a.In.Scan(FlagStrict, Want{Name: "x"}); err != io.EOF {
		t.Errorf("read: %v", err)
	}
	a.Out.Int("x", 1)
	if err := a.Out.Send(); !errors.Is(err, unix.EPIPE) {
		t.Errorf("write: %v", err)
	}
	if err := a.SendDescriptor(0, Handshake{}); !errors.Is(err, unix.EPIPE) {
		t.Errorf("send descriptor: %v", err)
	}
	if err := a.SendDescriptor(0, Handshake{Before: true, After: true}); err == nil {
		t.Error("handshake with nobody")
	}
	a.Close()
	if _, err := a.sock.Read(make([]byte, 1)); !errors.Is(err, os.ErrClosed) && !errors.Is(err, net.ErrClosed) {
		t.Errorf("read after close: %v", err)
	}
}

// noConn is no connection.
type noConn struct{}

func (noConn) SyscallConn() (syscall.RawConn, error) { return nil, os.ErrInvalid }

func TestNewConnErrors(t *testing.T) {
	if _, err := NewConn(noConn{}); !errors.Is(err, os.ErrInvalid) {
		t.Errorf("error %v", err)
	}
}

// TestSocketErrors uses what is no socket.
func TestSocketErrors(t *testing.T) {
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	s, err := newSocket(file)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := s.Read(nil); n != 0 || err != nil {
		t.Errorf("read of nothing: %d, %v", n, err)
	}
	if _, err := s.Read(make([]byte, 1)); !errors.Is(err, unix.ENOTSOCK) {
		t.Errorf("read: %v", err)
	}
	if _, err := s.Write([]byte("x")); !errors.Is(err, unix.ENOTSOCK) {
		t.Errorf("write: %v", err)
	}
	if err := s.sendDescriptor(0); !errors.Is(err, unix.ENOTSOCK) {
		t.Errorf("send descriptor: %v", err)
	}
}
