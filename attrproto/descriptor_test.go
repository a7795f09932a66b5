package attrproto

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// pair returns two connected sockets, which the test closes at its end.
func pair(t testing.TB) (a, b int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		unix.Close(fds[0])
		unix.Close(fds[1])
	})
	return fds[0], fds[1]
}

// anyFile opens a file to be passed around; the test closes it at its end.
func anyFile(t testing.TB) int {
	t.Helper()
	fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

// sameFile tells whether two descriptors stand for the same open file.
func sameFile(t testing.TB, a, b int) bool {
	t.Helper()
	pid := os.Getpid()
	const kcmpFile = 0
	r, _, errno := unix.Syscall6(unix.SYS_KCMP, uintptr(pid), uintptr(pid), kcmpFile, uintptr(a), uintptr(b), 0)
	if errno == unix.ENOSYS || errno == unix.EPERM {
		var sa, sb unix.Stat_t
		unix.Fstat(a, &sa)
		unix.Fstat(b, &sb)
		return sa.Ino == sb.Ino && sa.Dev == sb.Dev
	}
	if errno != 0 {
		t.Fatalf("kcmp: %v", errno)
	}
	return r == 0
}

// openFiles counts the descriptors of this process.
func openFiles(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// checkOpenFiles makes the test fail when it has more or fewer descriptors
// open at its end than now. Call it before whatever cleans up.
func checkOpenFiles(t *testing.T) {
	t.Helper()
	if r, w, err := os.Pipe(); err == nil { // with the first one, the runtime opens files of its own
		r.Close()
		w.Close()
	}
	before := openFiles(t)
	t.Cleanup(func() {
		if after := openFiles(t); after != before {
			t.Errorf("%d descriptors at the end, %d at the start", after, before)
		}
	})
}

// sendMany sends bytes with several descriptors in one message.
func sendMany(t testing.TB, sock int, p []byte, groups ...[]int) {
	t.Helper()
	var control []byte
	for _, fds := range groups {
		control = append(control, unix.UnixRights(fds...)...)
	}
	if err := unix.Sendmsg(sock, p, control, nil, 0); err != nil {
		t.Fatal(err)
	}
}

func TestReceiver(t *testing.T) {
	checkOpenFiles(t)
	var r Receiver
	a, b := pair(t)
	file := anyFile(t)
	p := make([]byte, 10)

	if _, _, err := r.Receive(b, p); err != unix.EAGAIN {
		t.Errorf("an empty socket: %v", err)
	}
	unix.Write(a, []byte("abc"))
	if n, fds, err := r.Receive(b, p); n != 3 || fds != nil || err != nil {
		t.Errorf("bytes: %d, %v, %v", n, fds, err)
	}
	if err := SendDescriptor(a, file); err != nil {
		t.Fatal(err)
	}
	n, fds, err := r.Receive(b, p)
	if n != 1 || p[0] != 0 || len(fds) != 1 || err != nil || r.Truncated {
		t.Fatalf("a descriptor: %d, %v, %v, truncated %v", n, fds, err, r.Truncated)
	}
	if !sameFile(t, file, fds[0]) {
		t.Error("another file came out")
	}
	if flags, err := unix.FcntlInt(uintptr(fds[0]), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("flags %#x, %v: not close-on-exec", flags, err)
	}
	unix.Close(fds[0])

	unix.Shutdown(a, unix.SHUT_WR)
	if n, fds, err := r.Receive(b, p); n != 0 || fds != nil || err != nil {
		t.Errorf("the end: %d, %v, %v", n, fds, err)
	}
}

// TestReceiverMany has as many descriptors in one message as there can be, in
// one control message and in two.
func TestReceiverMany(t *testing.T) {
	for name, groups := range map[string][]int{"one control message": {maxDescriptors}, "two control messages": {2, 3}} {
		t.Run(name, func(t *testing.T) {
			checkOpenFiles(t)
			var r Receiver
			a, b := pair(t)
			if err := unix.SetsockoptInt(b, unix.SOL_SOCKET, unix.SO_PASSCRED, 1); err != nil {
				t.Fatal(err) // one more control message, which is not about descriptors
			}
			file := anyFile(t)
			var lists [][]int
			total := 0
			for _, n := range groups {
				list := make([]int, n)
				for i := range list {
					list[i] = file
				}
				lists = append(lists, list)
				total += n
			}
			sendMany(t, a, []byte{0}, lists...)
			n, fds, err := r.Receive(b, make([]byte, 10))
			if n != 1 || len(fds) != total || err != nil || r.Truncated {
				t.Errorf("%d bytes, %d descriptors of %d, %v, truncated %v", n, len(fds), total, err, r.Truncated)
			}
			for _, fd := range fds {
				if !sameFile(t, file, fd) {
					t.Errorf("descriptor %d is another file", fd)
				}
				unix.Close(fd)
			}
		})
	}
}

// withoutFreeDescriptors runs f while no descriptor is free but n.
func withoutFreeDescriptors(t *testing.T, n int, f func()) {
	t.Helper()
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	limit := old
	limit.Cur = 0
	for free := 0; ; limit.Cur++ {
		if _, err := unix.FcntlInt(uintptr(limit.Cur), unix.F_GETFD, 0); err != nil {
			if free == n {
				break
			}
			free++
		}
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	defer unix.Setrlimit(unix.RLIMIT_NOFILE, &old)
	f()
}

func TestReceiverTruncated(t *testing.T) {
	for free := range 3 {
		checkOpenFiles(t)
		var r Receiver
		a, b := pair(t)
		file := anyFile(t)
		sendMany(t, a, []byte{0}, []int{file, file, file})
		withoutFreeDescriptors(t, free, func() {
			n, fds, err := r.Receive(b, make([]byte, 1))
			if n != 1 || len(fds) != free || err != nil || !r.Truncated {
				t.Errorf("%d free: %d bytes, %d descriptors, %v, truncated %v", free, n, len(fds), err, r.Truncated)
			}
			closeAll(fds)
		})
		unix.Write(a, []byte("x"))
		if _, _, err := r.Receive(b, make([]byte, 1)); err != nil || r.Truncated {
			t.Errorf("the next message: %v, truncated %v", err, r.Truncated)
		}
	}
}

func TestSendDescriptorErrors(t *testing.T) {
	a, b := pair(t)
	if err := SendDescriptor(a, -1); err != unix.EBADF {
		t.Errorf("no descriptor: %v", err)
	}
	fill := make([]byte, 1<<16)
	for {
		if _, err := unix.SendmsgN(a, fill, nil, nil, unix.MSG_DONTWAIT); err != nil {
			break
		}
	}
	if err := SendDescriptor(a, b); err != unix.EAGAIN {
		t.Errorf("a full socket: %v", err)
	}
	c, d := pair(t)
	unix.Shutdown(d, unix.SHUT_RDWR)
	if err := SendDescriptor(c, b); err != unix.EPIPE {
		t.Errorf("nobody there: %v", err)
	}
}

func BenchmarkSendAndReceiveDescriptor(b *testing.B) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer unix.Close(pair[0])
	defer unix.Close(pair[1])
	var r Receiver
	var p [1]byte
	b.ReportAllocs()
	for b.Loop() {
		if err := SendDescriptor(pair[0], pair[0]); err != nil {
			b.Fatal(err)
		}
		_, fds, err := r.Receive(pair[1], p[:])
		if err != nil || len(fds) != 1 {
			b.Fatal(fds, err)
		}
		unix.Close(fds[0])
	}
}
