package doctor

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"scache/scached/control"
	"scache/scached/install"
)

// Gather reads the configuration of an instance and asks its cache. An error is
// that no Postfix could be found, or that its configuration cannot be read at
// all; what else fails is a fact. The destination and the sender may be empty.
func Gather(ctx context.Context, configDir, destination, sender string) (*Facts, error) {
	report, err := install.Examine(install.Options{ConfigDir: configDir})
	if err != nil {
		return nil, err
	}
	f := &Facts{Report: report, Asked: destination, Sender: sender, OursInMain: oursIn(filepath.Join(report.ConfigDir, "main.cf")), Active: -1}
	f.LookUp = func(table, key string) (string, bool, error) { return lookUp(ctx, report.ConfigDir, table, key) }
	f.Listed = func(list, name string) (bool, error) {
		return listed(list, name, func(table, key string) (bool, error) {
			_, found, err := f.LookUp(table, key)
			return found, err
		})
	}
	if entries, err := os.ReadDir(filepath.Join(report.QueueDir, "active")); err == nil {
		f.Active = len(entries)
	}
	client := &control.Client{Path: report.Socket()}
	if f.Status, f.Silent = client.Status(ctx); f.Silent != nil {
		f.Status = nil
		return f, ctx.Err()
	}
	f.Silent = client.Bindings(ctx, control.Filter{}, func(e control.Entry) error {
		f.hold(e)
		return nil
	})
	return f, ctx.Err()
}

// hold notes a binding.
func (f *Facts) hold(e control.Entry) {
	label, ok := control.Destination(e.Label)
	if !ok {
		return
	}
	for i := range f.Held {
		if h := &f.Held[i]; h.Transport == e.Transport && h.Destination == label.Nexthop {
			h.Bindings++
			return
		}
	}
	f.Held = append(f.Held, Held{Transport: e.Transport, Destination: label.Nexthop, Spaced: label.Transport != e.Transport, Bindings: 1})
}

// oursIn are the names of our parameters in a main.cf.
func oursIn(path string) map[string]bool {
	names := map[string]bool{}
	text, err := os.ReadFile(path)
	if err != nil {
		return names // Postfix says so
	}
	for line := range strings.Lines(string(text)) {
		if name, _, ok := strings.Cut(line, "="); ok && strings.HasPrefix(name, ours) {
			names[strings.TrimSpace(name)] = true
		}
	}
	return names
}

// listed tells whether a list holds a name: names, files that hold such lists, and
// tables, of which ! takes some away (src/util/match_list.c). A table is asked by
// look.
func listed(list, name string, look func(table, key string) (bool, error)) (bool, error) {
	for _, pattern := range split(list) {
		take := true
		for strings.HasPrefix(pattern, "!") {
			take, pattern = !take, pattern[1:]
		}
		found, err := matches(pattern, name, look)
		if err != nil {
			return false, err
		}
		if found {
			return take, nil
		}
	}
	return false, nil
}

func matches(pattern, name string, look func(table, key string) (bool, error)) (bool, error) {
	switch {
	case strings.HasPrefix(pattern, "/"):
		text, err := readList(pattern)
		if err != nil {
			return false, err
		}
		return listed(text, name, look)
	case strings.HasPrefix(pattern, "static:"):
		return true, nil
	case strings.Contains(pattern, ":"):
		return look(pattern, name)
	}
	return strings.EqualFold(pattern, name), nil
}

// readList reads a file with a list, without its comments.
func readList(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	var b strings.Builder
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); !strings.HasPrefix(line, "#") {
			b.WriteString(line + "\n")
		}
	}
	return b.String(), lines.Err()
}

// lookUp asks a table by way of postmap(1), which complains of main.cf, too.
func lookUp(ctx context.Context, configDir, table, key string) (value string, found bool, err error) {
	cmd := exec.CommandContext(ctx, "postmap", "-c", configDir, "-q", key, table)
	var answer, complaints strings.Builder
	cmd.Stdout, cmd.Stderr = &answer, &complaints
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return strings.TrimSuffix(answer.String(), "\n"), true, nil
	case errors.As(err, &exit) && exit.ExitCode() == 1 && !strings.Contains(complaints.String(), "fatal:"):
		return "", false, nil
	case errors.Is(err, fs.ErrNotExist):
		return "", false, fmt.Errorf("postmap: %w", err)
	}
	return "", false, fmt.Errorf("postmap -q %s %s: %w: %s", key, table, err, strings.TrimSpace(complaints.String()))
}
