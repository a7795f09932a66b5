package attrproto

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"golang.org/x/sys/unix"
)

// TestHandshakes passes a descriptor in every dialect, to a receiver that takes
// one byte at a time and to one that takes everything that is there.
func TestHandshakes(t *testing.T) {
	for dialect, h := range map[string]Handshake{
		"2004": {}, "2.2": {Before: true}, "2.3": {Before: true, After: true},
	} {
		for _, byteByByte := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s %v", dialect, byteByByte), func(t *testing.T) {
				checkOpenFiles(t)
				a, b := ends(t)
				if byteByByte {
					readByteByByte(b)
				}
				file := anyFile(t)
				sent := make(chan error, 1)
				go func() { sent <- sendOne(a, h, file) }()
				if !h.Before && !h.After {
					// Nothing holds the sender back: everything is there at once.
					if err := <-sent; err != nil {
						t.Fatal(err)
					}
					sent <- nil
				}
				fd, err := receiveOne(b, h)
				if err != nil {
					t.Fatal(err)
				}
				defer unix.Close(fd)
				if err := <-sent; err != nil {
					t.Fatal(err)
				}
				if !sameFile(t, file, fd) {
					t.Error("another file arrived")
				}
			})
		}
	}
}

// TestDescriptorInPieces sends every byte of lists and descriptor by itself,
// and all of it in as few messages as possible.
func TestDescriptorInPieces(t *testing.T) {
	before, after := "status\x000\x00\x00", "next\x001\x00\x00"
	for name, send := range map[string]func(t *testing.T, sock, file int){
		"one byte at a time": func(t *testing.T, sock, file int) {
			for i := range len(before) {
				sendMany(t, sock, []byte{before[i]})
			}
			sendMany(t, sock, []byte{0}, []int{file})
			for i := range len(after) {
				sendMany(t, sock, []byte{after[i]})
			}
		},
		"three messages": func(t *testing.T, sock, file int) {
			sendMany(t, sock, []byte(before))
			sendMany(t, sock, []byte{0}, []int{file})
			sendMany(t, sock, []byte(after))
		},
		"what follows with the descriptor": func(t *testing.T, sock, file int) {
			sendMany(t, sock, []byte(before))
			sendMany(t, sock, []byte("\x00"+after), []int{file})
		},
		"all in one message": func(t *testing.T, sock, file int) {
			sendMany(t, sock, []byte(before+"\x00"+after), []int{file})
		},
	} {
		for _, byteByByte := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s %v", name, byteByByte), func(t *testing.T) {
				checkOpenFiles(t)
				fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
				if err != nil {
					t.Fatal(err)
				}
				defer unix.Close(fds[0])
				c := newConn(t, fds[1])
				if byteByByte {
					readByteByByte(c)
				}
				file := anyFile(t)
				send(t, fds[0], file)
				fd, err := receiveOne(c, Handshake{})
				if name == "all in one message" && byteByByte {
					// The descriptor came with the first byte of the list, which is
					// when the reference closes it, too.
					if !errors.Is(err, ErrNoDescriptor) {
						t.Errorf("error %v", err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if !sameFile(t, file, fd) {
					t.Error("another file arrived")
				}
				unix.Close(fd)
			})
		}
	}
}

func TestReceiveDescriptorErrors(t *testing.T) {
	for name, c := range map[string]struct {
		send func(t *testing.T, sock, file int)
		want error
	}{
		"a byte without": {func(t *testing.T, sock, file int) { sendMany(t, sock, []byte{0}) }, ErrNoDescriptor},
		"two":            {func(t *testing.T, sock, file int) { sendMany(t, sock, []byte{0}, []int{file, file}) }, ErrManyDescriptors},
		"two messages":   {func(t *testing.T, sock, file int) { sendMany(t, sock, []byte{0}, []int{file}, []int{file}) }, ErrManyDescriptors},
		"the end":        {func(t *testing.T, sock, file int) {}, io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			checkOpenFiles(t)
			a, b := pair(t)
			copied, err := unix.Dup(b)
			if err != nil {
				t.Fatal(err)
			}
			conn := newConn(t, copied)
			c.send(t, a, anyFile(t))
			sendMany(t, a, []byte("next\x001\x00\x00"))
			if c.want == io.ErrUnexpectedEOF {
				conn.In.Scan(0)
				unix.Shutdown(a, unix.SHUT_WR)
			}
			if fd, err := conn.ReceiveDescriptor(Handshake{}); fd != -1 || !errors.Is(err, c.want) {
				t.Fatalf("%v, error %v, want %v", fd, err, c.want)
			}
			if c.want == io.ErrUnexpectedEOF {
				return
			}
			var next int
			if _, err := conn.In.Scan(FlagStrict, IntVar("next", &next)); err != nil {
				t.Errorf("the connection did not survive: %v", err)
			}
		})
	}
}

func TestReceiveDescriptorWithoutAFreeOne(t *testing.T) {
	checkOpenFiles(t)
	a, b := ends(t)
	if err := a.SendDescriptor(anyFile(t), Handshake{}); err != nil {
		t.Fatal(err)
	}
	withoutFreeDescriptors(t, 0, func() {
		if fd, err := b.ReceiveDescriptor(Handshake{}); fd != -1 || !errors.Is(err, ErrLostDescriptor) {
			t.Errorf("%v, error %v", fd, err)
		}
	})
}

// TestUnclaimedDescriptors sends descriptors that nobody asks for: some before
// a list, some in it, some after it.
func TestUnclaimedDescriptors(t *testing.T) {
	checkOpenFiles(t)
	a, b := pair(t)
	file := anyFile(t)
	for _, piece := range []string{"na", "me\x00", "value\x00\x00"} {
		sendMany(t, a, []byte(piece), []int{file})
	}
	before := openFiles(t)
	copied, err := unix.Dup(b)
	if err != nil {
		t.Fatal(err)
	}
	c := newConn(t, copied)
	if _, err := c.In.Scan(FlagStrict, Want{Name: "name"}); err != nil {
		t.Fatal(err)
	}
	if now := openFiles(t); now != before+1 {
		t.Errorf("%d descriptors more than before the list", now-before)
	}
	for range 3 * maxUnclaimed {
		sendMany(t, a, []byte("x"), []int{file})
	}
	unix.Shutdown(a, unix.SHUT_WR)
	if _, err := c.In.NextName(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a name without end: %v", err)
	}
	c.Close()
	if now := openFiles(t); now != before {
		t.Errorf("%d descriptors more than at first", now-before)
	}
}

// TestManyUnclaimedDescriptors sends a descriptor with every byte.
func TestManyUnclaimedDescriptors(t *testing.T) {
	checkOpenFiles(t)
	a, b := pair(t)
	file := anyFile(t)
	copied, err := unix.Dup(b)
	if err != nil {
		t.Fatal(err)
	}
	s := newConn(t, copied).sock
	before := openFiles(t)
	p := make([]byte, 100)
	for range 3 * maxUnclaimed {
		sendMany(t, a, []byte("x"), []int{file})
		if _, err := s.Read(p); err != nil {
			t.Fatal(err)
		}
	}
	if now := openFiles(t); now != before+maxUnclaimed {
		t.Errorf("%d descriptors are kept, want %d", now-before, maxUnclaimed)
	}
}

func TestReceiveDescriptorNeedsASocket(t *testing.T) {
	if _, err := NewReader(new(endless)).receiveDescriptor(); err != errNotSocket {
		t.Errorf("error %v", err)
	}
}

// TestReceiveDescriptorFromNobody has a dummy that cannot be sent.
func TestReceiveDescriptorFromNobody(t *testing.T) {
	a, b := ends(t)
	b.Close()
	if _, err := a.ReceiveDescriptor(Handshake{Before: true}); !errors.Is(err, unix.EPIPE) {
		t.Errorf("error %v", err)
	}
}

// TestPassingLeavesFlagsAlone passes a socket that does not block, and one that
// does, and compares before and after.
func TestPassingLeavesFlagsAlone(t *testing.T) {
	for name, flags := range map[string]int{"blocking": 0, "non-blocking": unix.SOCK_NONBLOCK} {
		t.Run(name, func(t *testing.T) {
			fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|flags, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(fds[0])
			defer unix.Close(fds[1])
			sendMany(t, fds[1], []byte("pending"))
			before, _ := unix.FcntlInt(uintptr(fds[0]), unix.F_GETFL, 0)
			a, b := ends(t)
			if err := a.SendDescriptor(fds[0], Handshake{}); err != nil {
				t.Fatal(err)
			}
			received, err := b.ReceiveDescriptor(Handshake{})
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(received)
			for _, fd := range []int{fds[0], received} {
				if after, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0); after != before {
					t.Errorf("flags %#x, before %#x", after, before)
				}
			}
			p := make([]byte, 20)
			if n, err := unix.Read(received, p); string(p[:max(n, 0)]) != "pending" {
				t.Errorf("pending bytes: %q, %v", p[:max(n, 0)], err)
			}
		})
	}
}
