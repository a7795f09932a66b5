package wire

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A Trap is memory that stops whoever touches it first, the kernel as well,
// until it is released (userfaultfd(2)). A process that receives into it, or
// sends from it, holds the socket's lock for so long. The caller calls [Trap.Release].
type Trap struct {
	Control int // owned: the userfaultfd
	page    []byte
}

// From linux/userfaultfd.h, which x/sys leaves out.
const (
	uffdAPI        = 0xaa
	uffdioAPI      = 0xc018aa3f
	uffdioRegister = 0xc020aa00
	uffdioZeropage = 0xc020aa04
	uffdMissing    = 1
)

type uffdAPIRequest struct{ api, features, ioctls uint64 }

type uffdRegisterRequest struct{ start, length, mode, ioctls uint64 }

type uffdZeropageRequest struct {
	start, length, mode uint64
	zeroed              int64
}

// NewTrap sets a trap. Not every system lets everybody do that.
func NewTrap() (*Trap, error) {
	control, _, errno := unix.Syscall(unix.SYS_USERFAULTFD, unix.O_CLOEXEC|unix.O_NONBLOCK, 0, 0)
	if errno != 0 {
		return nil, fmt.Errorf("userfaultfd: %w", errno)
	}
	t := &Trap{Control: int(control)}
	page, err := unix.Mmap(-1, 0, unix.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		unix.Close(t.Control)
		return nil, fmt.Errorf("mmap: %w", err)
	}
	t.page = page
	if err := t.set(); err != nil {
		t.Release()
		return nil, err
	}
	return t, nil
}

func (t *Trap) set() error {
	api := uffdAPIRequest{api: uffdAPI}
	if err := t.ioctl(uffdioAPI, unsafe.Pointer(&api)); err != nil {
		return err
	}
	register := uffdRegisterRequest{start: t.start(), length: uint64(len(t.page)), mode: uffdMissing}
	return t.ioctl(uffdioRegister, unsafe.Pointer(&register))
}

func (t *Trap) start() uint64 { return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(t.page)))) }

func (t *Trap) ioctl(request uintptr, argument unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(t.Control), request, uintptr(argument)); errno != 0 {
		return fmt.Errorf("ioctl %#x of userfaultfd: %w", request, errno)
	}
	return nil
}

// Receive walks into the trap with the lock of a socket that has something to
// read. It returns when the trap is released.
func (t *Trap) Receive(fd int) {
	unix.Syscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(t.start()), 1, 0, 0, 0)
}

// Send does the same with a socket that is connected.
func (t *Trap) Send(fd int) {
	unix.Syscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(t.start()), 1, unix.MSG_NOSIGNAL, 0, 0)
}

// Sprung tells whether somebody is in the trap.
func (t *Trap) Sprung() bool { return Readable(t.Control) }

// Release lets whoever is in the trap go, and takes it away.
func (t *Trap) Release() {
	zero := uffdZeropageRequest{start: t.start(), length: uint64(len(t.page))}
	t.ioctl(uffdioZeropage, unsafe.Pointer(&zero))
	unix.Close(t.Control)
	unix.Munmap(t.page)
}
