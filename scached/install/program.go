package install

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// What the Go tool writes into the daemon, and into the tap.
const (
	daemonPath = "scache/cmd/scached"
	tapPath    = "scache/cmd/scachetap"
)

// checkProgram makes sure that a file is the program with that package path, for a
// machine like this one.
func checkProgram(path, programPath string) error {
	file, err := elf.Open(path)
	if err != nil {
		if errors.As(err, new(*elf.FormatError)) || errors.Is(err, io.EOF) {
			return fmt.Errorf("%s is no program", path)
		}
		return err
	}
	defer file.Close()
	self, err := elf.Open("/proc/self/exe")
	if err != nil {
		return err
	}
	defer self.Close()
	if file.Machine != self.Machine || file.Class != self.Class || file.Data != self.Data {
		return fmt.Errorf("%s is for another machine: %v, where this one is %v", path, file.Machine, self.Machine)
	}
	info, err := buildinfo.ReadFile(path)
	if err != nil || info.Path != programPath {
		return fmt.Errorf("%s is not %s", path, filepath.Base(programPath))
	}
	return nil
}

// trialTime is how long a trial may last.
const trialTime = 10 * time.Second

// try runs the daemon for one client, which says nothing and leaves: the daemon
// reads main.cf, its own file and the arguments, and, if the process is allowed
// to, goes into the jail. A daemon that would die under master(8) dies here, with
// the same words, and without anybody waiting for it.
func try(path, configDir string, chroot bool, args []string) error {
	path, err := filepath.Abs(path) // it does not run where we do
	if err != nil {
		return err
	}
	options := []string{"-V", "-S", "-n", referenceName}
	if os.Geteuid() == 0 {
		options = append(options, "-u")
		if chroot {
			options = append(options, "-c")
		}
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socketpair: %w", err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "client"), os.NewFile(uintptr(pair[1]), "daemon")
	defer ours.Close()
	defer theirs.Close()
	if err := unix.Shutdown(pair[0], unix.SHUT_WR); err != nil {
		return fmt.Errorf("shutdown: %w", err)
	}

	ctx, cancel := context.WithTimeout(context.Background(), trialTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, append(options, args...)...)
	var complaints bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs, theirs, &complaints
	cmd.Env = []string{"MAIL_CONFIG=" + configDir, "PATH=" + os.Getenv("PATH")}
	cmd.Dir = "/"
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s does not run: %w%s", path, err, indented(complaints.String()))
	}
	return nil
}

// indented puts lines below a message.
func indented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("\n  " + strings.TrimSpace(line))
	}
	return b.String()
}
