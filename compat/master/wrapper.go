package master

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// A Command is what to execute, and in what surroundings. Set Path and Argv, and
// execute what [Command.Wrapped] returns.
type Command struct {
	Path  string
	Argv  []string
	Attr  *syscall.SysProcAttr
	steps []string // shell commands to run first, in the process itself
}

// Wrapped returns the command with its steps in front. What has to be changed
// between fork and exec is left to a shell that then becomes the program: the
// process number stays, and the descriptors pass through.
func (c Command) Wrapped() Command {
	if len(c.steps) == 0 {
		return c
	}
	script := strings.Join(c.steps, " && ") + ` && exec "$@"`
	argv := append([]string{"/bin/sh", "-c", script, "sh", c.Path}, c.Argv[1:]...)
	return Command{Path: "/bin/sh", Argv: argv, Attr: c.Attr}
}

func (c *Command) limitDescriptors(n int) {
	c.steps = append(c.steps, fmt.Sprintf("ulimit -n %d", n))
}

// forbidThreads sets the limit on processes and threads of a user who is not root
// to one. Shells do not agree on the option's name.
func (c *Command) forbidThreads() {
	c.steps = append(c.steps, "{ ulimit -u 1 2>/dev/null || ulimit -p 1; }")
}

// ownDev gives the process a /dev of its own, in a mount namespace of its own:
// the directory dir, which holds the caller's log socket and gets the few
// devices that a daemon wants.
func (c *Command) ownDev(dir string) error {
	for _, device := range []string{"null", "zero", "random", "urandom"} {
		if err := os.WriteFile(filepath.Join(dir, device), nil, 0o666); err != nil {
			return err
		}
		c.steps = append(c.steps, fmt.Sprintf("mount --bind /dev/%s '%s/%s'", device, dir, device))
	}
	c.steps = append(c.steps, fmt.Sprintf("mount --rbind '%s' /dev", dir))
	c.Attr = mountNamespace()
	return nil
}

// mountNamespace is a private one: its mounts are seen by nobody else, and
// vanish with the last process in it.
func mountNamespace() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
}

// ErrNoMount means that a daemon cannot have a /dev of its own. The system's is no
// substitute: the lines of other programs would come in between.
var ErrNoMount = errors.New("a syslog socket needs the right to make mount namespaces")

// MayMount tells, by trying, whether this process can make mount namespaces.
func MayMount() bool {
	c := Command{Path: "/bin/sh", Argv: []string{"sh", "-c", "mount --bind /tmp /tmp"}, Attr: mountNamespace()}
	process, err := os.StartProcess(c.Path, c.Argv, &os.ProcAttr{Sys: c.Attr})
	if err != nil {
		return false
	}
	state, err := process.Wait()
	return err == nil && state.Success()
}
