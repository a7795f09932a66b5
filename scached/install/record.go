package install

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// A record is what Install leaves beside the daemon, for later runs and for
// Uninstall.
type record struct {
	path string
	// Sum is the SHA-256 of the daemon that was copied; empty when it was there
	// before, so that it is not ours to remove.
	Sum string `json:",omitempty"`
	// Instances are the configuration directories of those that use it.
	Instances []string
}

// readRecord reads the record beside a daemon, or begins one.
func readRecord(daemon string) (*record, error) {
	r := &record{path: daemon + ".installed"}
	data, err := os.ReadFile(r.path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal(data, r)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", r.path, err)
	}
	return r, nil
}

func (r *record) has(configDir string) bool { return slices.Contains(r.Instances, configDir) }

func (r *record) add(configDir string) {
	if !r.has(configDir) {
		r.Instances = append(r.Instances, configDir)
	}
}

// write writes a record, or removes it when there is nothing to say.
func (r *record) write() error {
	if len(r.Instances) == 0 && r.Sum == "" {
		if err := os.Remove(r.path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	data, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return writeAtomic(r.path, append(data, '\n'), 0o644, filepath.Join(filepath.Dir(r.path), "master"))
}
