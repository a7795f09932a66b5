package daemon

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// errThreads means that this build cannot change what belongs to each thread on
// all of them at once. Only a build with cgo cannot, like one for the race
// detector.
var errThreads = errors.New("built with cgo: capabilities and no_new_privs are left as setuid leaves them")

// prctl makes the call on every thread of the process. If it fails on the first
// one it changes nothing.
func prctl(name string, option, arg uintptr) error {
	_, _, errno := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, option, arg, 0, 0, 0, 0)
	return onAllThreads("prctl("+name+")", errno)
}

func onAllThreads(what string, errno syscall.Errno) error {
	switch errno {
	case 0:
		return nil
	case syscall.ENOTSUP:
		return errThreads
	}
	return &callError{what, errno}
}

// forbid makes sure that no program which is executed brings new privileges.
//
// The capability bounding set stays what it is. It only limits what such a
// program could gain, and that is nothing at all now. To empty it would take a
// call for each of some forty capabilities on each thread, which is more than
// half of the time that everything else up to the event loop takes.
func forbid() error {
	return prctl("PR_SET_NO_NEW_PRIVS", unix.PR_SET_NO_NEW_PRIVS, 1)
}

// seal forbids core dumps, which would hold other people's data, takes away the
// capabilities that setuid has left, which is none as a rule, and looks whether
// all of it worked.
func seal() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return &callError{"prctl(PR_SET_DUMPABLE)", err}
	}
	left, err := capabilities()
	if err != nil {
		return err
	}
	if left != [2]unix.CapUserData{} {
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		_, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET,
			uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&none)), 0)
		if err := onAllThreads("capset", errno); err != nil {
			return err
		}
	}
	return verifySealed()
}

// capabilities are those of one thread. The calls that change them work on all or
// on none.
func capabilities() (caps [2]unix.CapUserData, err error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	if err := unix.Capget(&header, &caps[0]); err != nil {
		return caps, &callError{"capget", err}
	}
	return caps, nil
}

// verifySealed looks at one thread, likewise.
func verifySealed() error {
	caps, err := capabilities()
	if err != nil {
		return err
	}
	if caps != [2]unix.CapUserData{} {
		return fmt.Errorf("capabilities are left over: effective %08x%08x permitted %08x%08x inheritable %08x%08x",
			caps[1].Effective, caps[0].Effective, caps[1].Permitted, caps[0].Permitted,
			caps[1].Inheritable, caps[0].Inheritable)
	}
	if on, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err != nil || on != 1 {
		return errors.New("no_new_privs is not in effect")
	}
	if on, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || on != 0 {
		return errors.New("the process is still dumpable")
	}
	return nil
}
