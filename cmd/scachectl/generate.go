package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"scache/scached/manual"
)

// newGenerate is for those who build packages.
func newGenerate() *cobra.Command {
	return &cobra.Command{
		Use:    "generate DIRECTORY",
		Short:  "write manual pages, completions and a sample of scached.cf",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE:   func(c *cobra.Command, args []string) error { return generate(c.Root(), args[0]) },
	}
}

func generate(root *cobra.Command, dir string) error {
	date, err := sourceDate()
	if err != nil {
		return err
	}
	for _, file := range []struct {
		path  string
		write func(io.Writer) error
	}{
		{"man/man8/scached.8", func(w io.Writer) error { return manual.Daemon(w, date) }},
		{"man/man8/scachetap.8", func(w io.Writer) error { return manual.Tap(w, date) }},
		{"man/man5/scached.cf.5", func(w io.Writer) error { return manual.Config(w, date) }},
		{"man/man1/scachectl.1", func(w io.Writer) error { return manual.Tool(w, date, root) }},
		{"scached.cf", manual.Sample},
		{"parameters.md", manual.Table},
		{"completion/scachectl.bash", func(w io.Writer) error { return root.GenBashCompletionV2(w, true) }},
		{"completion/_scachectl", root.GenZshCompletion},
		{"completion/scachectl.fish", func(w io.Writer) error { return root.GenFishCompletion(w, true) }},
	} {
		if err := writeFile(filepath.Join(dir, file.path), file.write); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(path string, write func(io.Writer) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}

// sourceDate is the date of the pages: now, or what a reproducible build wants
// now to be.
func sourceDate() (time.Time, error) {
	text, ok := os.LookupEnv("SOURCE_DATE_EPOCH")
	if !ok {
		return time.Now(), nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	return time.Unix(seconds, 0), nil
}
