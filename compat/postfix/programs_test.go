package postfix

import (
	"testing"

	"golang.org/x/sys/unix"

	"scache/compat/master"
	"scache/compat/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }

// needMounts is for what logs to a syslog socket.
func needMounts(t *testing.T) {
	t.Helper()
	testbed.NeedRoot(t)
	if !master.MayMount() {
		testbed.SkipLocally(t, master.ErrNoMount.Error())
	}
}

const greeting = "protocol\x00connection_cache_protocol\x00\x00"

// readExactly reads want from fd, byte for byte.
func readExactly(t *testing.T, fd int, want string) {
	t.Helper()
	unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 30})
	buf := make([]byte, len(want))
	for n := 0; n < len(buf); {
		m, err := unix.Read(fd, buf[n:])
		if err == unix.EINTR {
			continue
		}
		if err != nil || m == 0 {
			t.Fatalf("read: got %q and %d, %v; want %q", buf[:n], m, err, want)
		}
		n += m
	}
	if string(buf) != want {
		t.Fatalf("read: got %q, want %q", buf, want)
	}
}

func writeAll(t *testing.T, fd int, data string) {
	t.Helper()
	if n, err := unix.Write(fd, []byte(data)); err != nil || n != len(data) {
		t.Fatalf("write: %d, %v", n, err)
	}
}

func ask(t *testing.T, fd int, request, answer string) {
	t.Helper()
	writeAll(t, fd, request)
	readExactly(t, fd, answer)
}

const (
	saveDest   = "request\x00save_dest\x00ttl\x002\x00label\x00d\x00property\x00dp\x00label\x00e\x00\x00"
	saveDestOK = "status\x000\x00\x00"
	findMiss   = "request\x00find_endp\x00label\x00x\x00\x00"
	findMissed = "status\x002\x00property\x00\x00\x00"
)

// The stand-in master must look to a daemon like the real one, so these run
// the reference, and ours the same way.
