package compat

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// A command is what to execute, and in what surroundings.
type command struct {
	path  string
	argv  []string
	attr  *syscall.SysProcAttr
	steps []string // shell commands to run first, in the process itself
}

// wrapped returns the command with its steps in front. What has to be changed
// between fork and exec is left to a shell that then becomes the program: the
// process number stays, and the descriptors pass through.
func (c command) wrapped() command {
	if len(c.steps) == 0 {
		return c
	}
	script := strings.Join(c.steps, " && ") + ` && exec "$@"`
	argv := append([]string{"/bin/sh", "-c", script, "sh", c.path}, c.argv[1:]...)
	return command{path: "/bin/sh", argv: argv, attr: c.attr}
}

func (c *command) limitDescriptors(n int) {
	c.steps = append(c.steps, fmt.Sprintf("ulimit -n %d", n))
}

// ownDev gives the process a /dev of its own, in a mount namespace of its own:
// the directory dir, which holds the caller's log socket and gets the few
// devices that a daemon wants.
func (c *command) ownDev(dir string) error {
	for _, device := range []string{"null", "zero", "random", "urandom"} {
		if err := os.WriteFile(filepath.Join(dir, device), nil, 0o666); err != nil {
			return err
		}
		c.steps = append(c.steps, fmt.Sprintf("mount --bind /dev/%s '%s/%s'", device, dir, device))
	}
	c.steps = append(c.steps, fmt.Sprintf("mount --rbind '%s' /dev", dir))
	c.attr = mountNamespace()
	return nil
}

// mountNamespace is a private one: its mounts are seen by nobody else, and
// vanish with the last process in it.
func mountNamespace() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
}

// errNoMount is why a daemon cannot have a /dev of its own. The system's is no
// substitute: whatever else logs would come in between.
var errNoMount = errors.New("a syslog socket needs the right to make mount namespaces")

// mayMount tells whether this process can make mount namespaces.
func mayMount() bool {
	c := command{path: "/bin/sh", argv: []string{"sh", "-c", "mount --bind /tmp /tmp"}, attr: mountNamespace()}
	process, err := os.StartProcess(c.path, c.argv, &os.ProcAttr{Sys: c.attr})
	if err != nil {
		return false
	}
	state, err := process.Wait()
	return err == nil && state.Success()
}
