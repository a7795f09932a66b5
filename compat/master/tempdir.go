package master

import (
	"fmt"
	"os"
	"time"
)

// maxSocketPath is the longest path that sockaddr_un holds, with its NUL.
const maxSocketPath = 108

// TempDir makes a temporary directory that any user may enter, short
// enough for the sockets of a queue directory below it. The caller removes it.
func TempDir() (string, error) {
	dir, err := os.MkdirTemp("", "sc")
	if err != nil {
		return "", err
	}
	if len(dir)+len("/queue/private/a-service-with-a-name") >= maxSocketPath {
		os.Remove(dir)
		if dir, err = os.MkdirTemp("/tmp", "sc"); err != nil {
			return "", err
		}
	}
	// mail_owner has to get at its queue directory.
	if err := os.Chmod(dir, 0o755); err != nil {
		os.Remove(dir)
		return "", fmt.Errorf("open temporary directory to other users: %w", err)
	}
	return dir, nil
}

// WriteSettled writes a configuration file that looks an hour old. Postfix
// programs read a file again and again until its last change is at least two
// seconds ago (src/util/dict.c), which would be the time that they take to start.
// Who reads the file meanwhile finds the old one or the new one.
func WriteSettled(path, text string) error {
	fresh := path + ".new"
	if err := os.WriteFile(fresh, []byte(text), 0o644); err != nil {
		return err
	}
	if err := settle(fresh); err != nil {
		return err
	}
	return os.Rename(fresh, path)
}

func settle(path string) error {
	past := time.Now().Add(-time.Hour)
	return os.Chtimes(path, past, past)
}
