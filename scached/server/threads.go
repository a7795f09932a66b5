package server

import (
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// spareThreads is how many threads are started before anybody needs them, besides
// those that close descriptors.
const spareThreads = 4

// startSpareThreads makes Go's runtime start some threads, which it keeps and
// uses again. It ends the process when it needs one and cannot start it, and the
// user that all of Postfix runs as may be at its limit of processes later.
//
// Each goroutine is in a system call until the last one has started, so that no
// two of them are in the same thread.
func startSpareThreads() {
	const wait, wake = 128, 129 // FUTEX_WAIT_PRIVATE, FUTEX_WAKE_PRIVATE
	started := new(uint32)
	futex := func(operation, value uint32) {
		unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(started)), uintptr(operation), uintptr(value), 0, 0, 0)
	}
	for range spareThreads {
		go func() {
			if atomic.AddUint32(started, 1) == spareThreads {
				futex(wake, spareThreads)
			}
			for n := atomic.LoadUint32(started); n < spareThreads; n = atomic.LoadUint32(started) {
				futex(wait, n)
			}
		}()
	}
}
