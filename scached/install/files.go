package install

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// An installRecord is what Install leaves for Uninstall.
type installRecord struct {
	Daemon      string // the daemon's path
	DaemonSum   string // SHA-256 of it
	Before      string // the scache service as postconf(1) printed it
	After       string // the same after the change
	MasterCF    []byte // the file before the change
	MasterCFSum string // SHA-256 of it after the change; empty if that was not completed
}

// readRecord returns nil when there is none.
func readRecord(path string) (*installRecord, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	record := new(installRecord)
	if err := json.Unmarshal(data, record); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return record, nil
}

func (r *installRecord) write(path string) error {
	data, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return writeAtomic(path, append(data, '\n'), 0o644)
}

func fileSum(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// writeAtomic replaces a file at once: nobody ever sees half of it, and a
// program that is running keeps its old text.
func writeAtomic(path string, data []byte, mode fs.FileMode) error {
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
	return os.Rename(file.Name(), path)
}

func replaceProgram(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return writeAtomic(to, data, 0o755)
}

// replaceText gives a file another content, and keeps its owner and mode.
func replaceText(path string, data []byte) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if err := writeAtomic(path, data, info.Mode().Perm()); err != nil {
		return err
	}
	return sameAccess(path, info)
}

// sameAccess gives a file the owner and mode that info tells of.
func sameAccess(path string, info fs.FileInfo) error {
	owner := info.Sys().(*syscall.Stat_t)
	return errors.Join(os.Chown(path, int(owner.Uid), int(owner.Gid)), os.Chmod(path, info.Mode()))
}

// postconf runs postconf(1) on one configuration directory.
type postconf struct{ config string }

func (p postconf) run(args ...string) (string, error) {
	path, err := findPostconf()
	if err != nil {
		return "", err
	}
	cmd := exec.Command(path, append([]string{"-c", p.config}, args...)...)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("postconf %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(complaints.String()))
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}

func (p postconf) parameter(name string) (string, error) { return p.run("-xh", name) }

// service returns the one entry of master.cf with that name, "name/type".
func (p postconf) service(name string) (string, error) {
	entry, err := p.run("-M", name)
	if err == nil && (entry == "" || strings.Contains(entry, "\n")) {
		err = fmt.Errorf("master.cf has not exactly one service %s: %q", name, entry)
	}
	return entry, err
}

// setService replaces an entry. postconf(1) makes master.cf anew with a mode
// of its own, which is taken back.
func (p postconf) setService(name, entry string) error {
	masterCF := filepath.Join(p.config, "master.cf")
	info, err := os.Stat(masterCF)
	if err != nil {
		return err
	}
	if _, err := p.run("-M", name+"="+entry); err != nil {
		return err
	}
	return sameAccess(masterCF, info)
}
