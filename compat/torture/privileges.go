package torture

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"scache/compat/master"
)

// privilegeAttacks is no attack, but what one could use: what the daemon may do
// once it runs.
func privilegeAttacks() []Attack {
	return []Attack{
		{Name: "privileges that are left", Hurts: true, Strike: privileges},
		{
			// As when delivery agents have used up the limit of the user, which is the
			// daemon's as well.
			Name:    "no thread can be started, and sessions linger",
			Options: master.Options{NoThreads: true}, Hurts: true, Strike: lingeringSessions,
		},
	}
}

func privileges(a *Arena) error {
	pid := a.Daemon.PID()
	c, err := master.ProcessCredentials(pid)
	if err != nil {
		return err
	}
	root, err := a.Daemon.Root()
	if err != nil {
		return err
	}
	var errs []error
	complain := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	for _, id := range append(c.UID[:], c.GID[:]...) {
		complain(id == 0, "it has an identity of root's")
	}
	for _, group := range c.Groups {
		complain(group == 0, "it is in root's group")
	}
	complain(c.CapInh|c.CapPrm|c.CapEff|c.CapAmb != 0, "it has capabilities")
	complain(!c.NoNewPrivs, "a program that it starts could get new privileges")
	complain(root != a.Daemon.QueueDir(), "its root directory is %s", root)
	dumpable, err := dumpable(pid)
	complain(dumpable, "it leaves a core file, and its memory can be read by its user")
	return errors.Join(append(errs, err)...)
}

// dumpable tells whether a process can be inspected by others of the same user:
// the files under /proc are root's when it cannot (prctl(2), PR_SET_DUMPABLE).
func dumpable(pid int) (bool, error) {
	info, err := os.Stat(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return false, err
	}
	return info.Sys().(*syscall.Stat_t).Uid != 0, nil
}
