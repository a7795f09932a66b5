package install

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

func fileSum(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// writeAtomic replaces a file at once: nobody ever sees half of it, and a program
// that is running keeps its old text. The file gets the security label of the
// file like, if there is one.
func writeAtomic(path string, data []byte, mode fs.FileMode, like string) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // nothing to remove once it was renamed
	_, err = file.Write(data)
	err = errors.Join(err, file.Chmod(mode), file.Sync(), file.Close())
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if info, err := os.Stat(like); err == nil {
		owner := info.Sys().(*syscall.Stat_t)
		if err := os.Chown(file.Name(), int(owner.Uid), int(owner.Gid)); err != nil {
			return err
		}
	}
	labelErr := copyLabel(like, file.Name())
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	if labelErr != nil {
		return fmt.Errorf("give %s the SELinux label of %s: %w; run \"restorecon -v %s\", and this command again", path, like, labelErr, path)
	}
	return nil
}

// replaceText gives a file that still has the content before another one. It
// keeps owner, mode and label.
func replaceText(path string, before, after []byte) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	now, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.Equal(now, before) {
		return fmt.Errorf("%s has just been changed by somebody else", path)
	}
	return writeAtomic(path, after, info.Mode().Perm(), path)
}

// labelName is the extended attribute that SELinux goes by.
const labelName = "security.selinux"

// labelOf returns the SELinux label of a file; empty when it has none, or when
// there is no SELinux.
func labelOf(path string) string {
	label := make([]byte, 4096)
	n, err := unix.Getxattr(path, labelName, label)
	if err != nil {
		return ""
	}
	return string(label[:n])
}

// copyLabel gives a file the SELinux label of another one, if that has one: it
// has that of its directory otherwise, and master(8) may not run it.
func copyLabel(from, to string) error {
	label := labelOf(from)
	if label == "" || label == labelOf(to) {
		return nil
	}
	return unix.Setxattr(to, labelName, []byte(label), 0)
}

// mayChange tells whether the process may create and replace files in a
// directory.
func mayChange(dir string) error {
	if err := unix.Access(dir, unix.W_OK); err != nil {
		return fmt.Errorf("%s: %w; only root can change a Postfix", dir, err)
	}
	return nil
}
