package daemon

import (
	"errors"
	"fmt"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// A jail is what a process restricts itself to, for good.
type jail struct {
	root string   // new root directory; empty to keep the old one
	user *account // nil to stay who we are
	// threads starts the threads that can be needed: while nothing limits their
	// number, and after the calls that take longer the more threads there are.
	threads func()
}

// privileges are the system calls of a jail. Those about users and groups act
// on every thread of the process.
type privileges struct {
	geteuid   func() int
	chroot    func(string) error
	chdir     func(string) error
	setgid    func(int) error
	setgroups func([]int) error
	setuid    func(int) error

	forbid func() error // no new privileges
	seal   func() error // give up everything that setuid leaves
	verify func(*account) error
}

var realPrivileges = privileges{
	geteuid:   syscall.Geteuid,
	chroot:    syscall.Chroot,
	chdir:     syscall.Chdir,
	setgid:    syscall.Setgid,
	setgroups: syscall.Setgroups,
	setuid:    syscall.Setuid,
	forbid:    forbid,
	seal:      seal,
	verify:    verifyIdentity,
}

// enter goes to jail: root directory, groups, user, in this order, since each
// takes away what the one before needs. Then it makes sure that there is no way
// back. All names must have been looked up, and the time zone loaded, before.
//
// An error is the text that the reference dies with (src/util/chroot_uid.c), or
// one of our own where the reference does not look. errThreads is no more than
// a warning.
func (j jail) enter(p privileges) error {
	wasRoot := p.geteuid() == 0
	if j.root != "" {
		if err := p.chroot(j.root); err != nil {
			return &callError{"chroot(" + j.root + ")", err}
		}
		if err := p.chdir("/"); err != nil {
			return &callError{"chdir(/)", err}
		}
	}
	if j.user == nil {
		j.threads()
		return nil
	}
	if err := p.setgid(j.user.gid); err != nil {
		return &callError{fmt.Sprintf("setgid(%d)", j.user.gid), err}
	}
	if err := p.setgroups(j.user.groups); err != nil {
		return &callError{"initgroups", err}
	}
	var incomplete error
	if wasRoot {
		if incomplete = p.forbid(); incomplete != nil && incomplete != errThreads {
			return incomplete
		}
	}
	j.threads()
	if err := p.setuid(j.user.uid); err != nil {
		return &callError{fmt.Sprintf("setuid(%d)", j.user.uid), err}
	}
	if err := p.verify(j.user); err != nil {
		return err
	}
	if wasRoot && incomplete == nil {
		return p.seal()
	}
	return incomplete
}

// verifyIdentity makes sure that every identity of the process is the
// account's, and that none of root's can be had again.
func verifyIdentity(a *account) error {
	ruid, euid, suid := unix.Getresuid()
	rgid, egid, sgid := unix.Getresgid()
	if ruid != a.uid || euid != a.uid || suid != a.uid {
		return fmt.Errorf("user IDs are %d, %d and %d after setuid(%d)", ruid, euid, suid, a.uid)
	}
	if rgid != a.gid || egid != a.gid || sgid != a.gid {
		return fmt.Errorf("group IDs are %d, %d and %d after setgid(%d)", rgid, egid, sgid, a.gid)
	}
	groups, err := syscall.Getgroups()
	if err != nil {
		return &callError{"getgroups", err}
	}
	for _, group := range groups {
		if !slices.Contains(a.groups, group) {
			return fmt.Errorf("group %d is left over after initgroups", group)
		}
	}
	// The calls before were for all threads or for none, so one tells of all.
	for _, call := range []uintptr{unix.SYS_SETUID, unix.SYS_SETGID} {
		if _, _, errno := syscall.RawSyscall(call, 0, 0, 0); errno == 0 {
			return errors.New("root privileges could be regained")
		}
	}
	return nil
}
