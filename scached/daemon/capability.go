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

// seal forbids new privileges and core dumps, which would hold other people's
// data, takes all capabilities away, and looks whether it worked.
//
// The capability bounding set stays what it is. It only limits what a program
// that is executed can gain, and that is nothing at all without new privileges.
// To empty it would take a call for each of some forty capabilities on each
// thread, which is more than half of the time that everything else up to the
// event loop takes.
func seal() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return &callError{"prctl(PR_SET_DUMPABLE)", err}
	}
	if err := prctl("PR_SET_NO_NEW_PRIVS", unix.PR_SET_NO_NEW_PRIVS, 1); err != nil {
		return err
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET,
		uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&none)), 0)
	if err := onAllThreads("capset", errno); err != nil {
		return err
	}
	return verifySealed()
}

// verifySealed looks at one thread. The calls before it worked on all or on none.
func verifySealed() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	if err := unix.Capget(&header, &caps[0]); err != nil {
		return &callError{"capget", err}
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
