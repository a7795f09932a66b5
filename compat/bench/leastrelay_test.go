package bench

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// leastVariable is in the environment of a process that is to be the least relay: the
// path of the socket of the server.
const leastVariable = "SCACHE_BENCH_LEAST_RELAY"

// leastListening is where it finds the socket that it listens on.
const leastListening = 3

// beLeastRelay makes this process a relay that does the least that any relay has to do
// for a message: wait, receive, send, and for a descriptor close. It looks for no
// boundaries, records nothing, serves one client and takes every error for the end.
// It shows how much of a tap's cost is the kernel's, for two more processes to be woken
// for each answer.
func beLeastRelay(server string) {
	must := func(fd int, err error) int {
		if err != nil {
			panic(err)
		}
		return fd
	}
	epoll := must(unix.EpollCreate1(0))
	client, _, err := unix.Accept(leastListening)
	if err != nil {
		panic(err)
	}
	to := must(unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0))
	if err := unix.Connect(to, &unix.SockaddrUnix{Name: server}); err != nil {
		panic(err)
	}
	other := map[int32]int{int32(client): to, int32(to): client}
	for fd := range other {
		if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, int(fd), &unix.EpollEvent{Events: unix.EPOLLIN, Fd: fd}); err != nil {
			panic(err)
		}
	}
	var events [8]unix.EpollEvent
	var buffer, control [4096]byte
	call := func(number uintptr, fd int, n, controls uint64) unix.Msghdr {
		iov := unix.Iovec{Base: &buffer[0], Len: n}
		header := unix.Msghdr{Iov: &iov, Iovlen: 1}
		if controls > 0 {
			header.Control, header.Controllen = &control[0], controls
		}
		got, _, errno := unix.RawSyscall(number, uintptr(fd), uintptr(unsafe.Pointer(&header)), 0)
		if errno != 0 || got == 0 {
			os.Exit(0)
		}
		iov.Len = uint64(got)
		header.Iov = &iov
		return header
	}
	for {
		n, _, _ := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epoll), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), ^uintptr(0), 0, 0)
		for _, event := range events[:max(int(n), 0)] {
			got := call(unix.SYS_RECVMSG, int(event.Fd), uint64(len(buffer)), uint64(len(control)))
			call(unix.SYS_SENDMSG, other[event.Fd], got.Iov.Len, got.Controllen)
			if got.Controllen > 0 {
				unix.Close(int(*(*int32)(unsafe.Pointer(&control[unix.SizeofCmsghdr]))))
			}
		}
	}
}

// startLeastRelay starts one in front of a server, until the test ends.
func startLeastRelay(t *testing.T, server string) (path string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "sc")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path = filepath.Join(dir, "s")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	listener.SetUnlinkOnClose(false)
	listening, err := listener.File()
	if err != nil {
		t.Fatal(err)
	}
	defer listening.Close()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), leastVariable+"="+server, "GOGC=off")
	cmd.ExtraFiles = []*os.File{listening}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return path
}
