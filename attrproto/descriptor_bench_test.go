package attrproto

import (
	"testing"

	"golang.org/x/sys/unix"
)

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
