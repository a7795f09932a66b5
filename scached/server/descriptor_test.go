package server

import (
	"testing"

	"golang.org/x/sys/unix"

	"scache/compat/wire"
)

// TestPlain checks of which descriptors it is believed that a close of them is
// quick, and that nothing is believed for the number alone that it has. TLS in the
// kernel, which not every kernel has, is in compat/simulate.
func TestPlain(t *testing.T) {
	socket := func(domain, kind, protocol int) func(*testing.T) int {
		return func(t *testing.T) int {
			fd, err := unix.Socket(domain, kind|unix.SOCK_CLOEXEC, protocol)
			if err != nil {
				t.Fatal(err)
			}
			return fd
		}
	}
	stream := socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	pair := func(kind int) func(*testing.T) int {
		return func(t *testing.T) int {
			pair, err := unix.Socketpair(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { unix.Close(pair[1]) })
			return pair[0]
		}
	}
	const netlinkXfrm = unix.IPPROTO_TCP // the number of one is that of the other
	for _, test := range []struct {
		name  string
		open  func(*testing.T) int
		kind  kind // in the end
		plain bool
	}{
		{"TCP", connected, internet, true},
		{"TCP over IPv6", socket(unix.AF_INET6, unix.SOCK_STREAM, 0), internet, true},
		{"TCP that lingers", func(t *testing.T) int {
			fd := stream(t)
			lingers := unix.Linger{Onoff: 1, Linger: 1}
			if err := unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &lingers); err != nil {
				t.Fatal(err)
			}
			return fd
		}, internet, false},
		{"TCP that listens", listening, internet, false},
		{"netlink, of the number of TCP", socket(unix.AF_NETLINK, unix.SOCK_RAW, netlinkXfrm), foreign, false},
		{"raw IP, of the number of TCP", socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_TCP), foreign, false},
		{"UDP", socket(unix.AF_INET, unix.SOCK_DGRAM, 0), foreign, false},
		{"a local stream", pair(unix.SOCK_STREAM), local, true},
		{"a local stream with something in its queue", func(t *testing.T) int {
			pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			unix.Write(pair[1], []byte("421"))
			unix.Close(pair[1])
			return pair[0]
		}, local, false},
		{"local datagrams", pair(unix.SOCK_DGRAM), foreign, false},
		{"no socket", func(t *testing.T) int {
			fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
			if err != nil {
				t.Fatal(err)
			}
			return fd
		}, foreign, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			fd := test.open(t)
			defer unix.Close(fd)
			d := descriptors{kernel: new(linux)}
			d.adopt(fd)
			if plain := d.plain(fd); plain != test.plain || d.kinds[fd] != test.kind {
				t.Errorf("plain %v, kind %d, want %v, %d", plain, d.kinds[fd], test.plain, test.kind)
			}
		})
	}
}

// listening opens a TCP socket that listens on loopback. The caller owns it.
func listening(t *testing.T) int {
	t.Helper()
	fd, err := wire.ListenTCP(4)
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

// connected opens a TCP socket that is connected. The caller owns it.
func connected(t *testing.T) int {
	t.Helper()
	remote := listening(t)
	t.Cleanup(func() { unix.Close(remote) })
	address, err := unix.Getsockname(remote)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := wire.ConnectTCP(address)
	if err != nil {
		t.Fatal(err)
	}
	return fd
}
