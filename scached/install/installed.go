package install

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrNoPostfix means that no Postfix is installed.
var ErrNoPostfix = errors.New("postfix is not installed")

// Installed is where the system's own Postfix keeps its files.
type Installed struct {
	DaemonDir  string // daemon_directory
	CommandDir string // command_directory
	ConfigDir  string // config_directory
	MetaDir    string // meta_directory
	Version    string // mail_version
}

// FindInstalled asks the system's postconf(1). It returns [ErrNoPostfix] when
// there is none.
func FindInstalled() (*Installed, error) {
	path, err := findPostconf()
	if err != nil {
		return nil, err
	}
	out, err := exec.Command(path, "-dh", "daemon_directory", "command_directory", "config_directory", "meta_directory", "mail_version").Output()
	if err != nil {
		return nil, fmt.Errorf("postconf: %w", err)
	}
	values := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(values) != 5 {
		return nil, fmt.Errorf("postconf: unexpected output %q", out)
	}
	return &Installed{DaemonDir: values[0], CommandDir: values[1], ConfigDir: values[2], MetaDir: values[3], Version: values[4]}, nil
}

func findPostconf() (string, error) {
	if path, err := exec.LookPath("postconf"); err == nil {
		return path, nil
	}
	const path = "/usr/sbin/postconf" // not in every user's PATH
	if err := unix.Access(path, unix.X_OK); err != nil {
		return "", ErrNoPostfix
	}
	return path, nil
}

// ReferenceProgram returns the path of the installed scache(8). It returns
// [ErrNoPostfix] when there is none.
func ReferenceProgram() (string, error) {
	found, err := FindInstalled()
	if err != nil {
		return "", err
	}
	path := filepath.Join(found.DaemonDir, "scache")
	if err := unix.Access(path, unix.X_OK); err != nil {
		return "", ErrNoPostfix
	}
	return path, nil
}
