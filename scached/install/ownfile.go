package install

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"scache/scached/settings"
)

// dialectParameter says which dialect the daemon speaks.
const dialectParameter = "scached_protocol_version"

// marker begins the comment above what Install has put into the daemon's own
// file.
const marker = "# Set by scachectl install"

// setLine returns the text of a configuration file with a parameter set. What it
// said of that parameter before is gone.
func setLine(text []byte, name, value, reason string) []byte {
	text = dropLines(text, name)
	if len(text) > 0 && text[len(text)-1] != '\n' {
		text = append(text, '\n')
	}
	return fmt.Appendf(text, "%s, %s.\n%s = %s\n", marker, reason, name, value)
}

// dropLines returns the text without the lines that set a parameter, and the
// comment that setLine puts above.
func dropLines(text []byte, name string) []byte {
	lines := logicalLines(text)
	for i := len(lines) - 1; i >= 0; i-- {
		line := lines[i]
		before, _, _ := bytes.Cut(line.text, []byte("="))
		if string(bytes.TrimSpace(before)) != name {
			continue
		}
		start, end := line.offsets[0], line.offsets[len(line.offsets)-1]+1
		above := bytes.LastIndexByte(text[:max(start-1, 0)], '\n') + 1
		if bytes.HasPrefix(text[above:], []byte(marker)) {
			start = above
		}
		text = append(bytes.Clone(text[:start]), text[end:]...)
	}
	return text
}

// hasMarked tells whether a parameter is one that setLine has set.
func hasMarked(text []byte, name string) bool {
	return bytes.Contains(text, []byte("\n"+name+" = ")) && bytes.Contains(text, []byte(marker))
}

// An ownFile is the daemon's own configuration file.
type ownFile struct {
	path string
	text []byte
	info fs.FileInfo // nil when there is no such file
}

func readOwnFile(configDir string) (*ownFile, error) {
	f := &ownFile{path: filepath.Join(configDir, settings.File)}
	text, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return nil, err
	}
	f.text = text
	f.info, err = os.Stat(f.path)
	return f, err
}

// change gives the file another content. An empty one is removed.
func (f *ownFile) change(text []byte) error {
	switch {
	case len(text) == 0:
		return os.Remove(f.path)
	case f.info == nil:
		return writeAtomic(f.path, text, 0o644, filepath.Join(filepath.Dir(f.path), "main.cf"))
	}
	return replaceText(f.path, f.text, text)
}
