package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"scache/compat/diff"
)

// findings saves and tells unnamed differences as soon as they are known, so that
// none is lost when the command is interrupted or killed.
type findings struct {
	dir   string // empty to save nothing
	told  io.Writer
	clear func() // makes room on the terminal
	kept  int    // of those that were not reproduced
	err   error
}

// notReproduced is the directory, in that of the findings, for those that were not
// there again, and mostNotReproduced is how many of them are kept.
const (
	notReproduced     = "not-reproduced"
	mostNotReproduced = 1000
)

func (k *findings) found(stage diff.Stage, f diff.Finding) {
	k.clear()
	what := f.Differences[0]
	fmt.Fprintf(k.told, "%s: %s: %s", f.Transcript.Name, stage, what.What)
	if what.Step > 0 {
		fmt.Fprintf(k.told, " in step %d", what.Step)
	}
	if n := len(f.Together); n > 0 {
		fmt.Fprintf(k.told, ", after %d transcripts together", n)
	}
	fmt.Fprintln(k.told)
	if k.dir != "" {
		k.err = errors.Join(k.err, k.save(stage, f))
	}
}

func (k *findings) save(stage diff.Stage, f diff.Finding) error {
	files, err := f.Save(k.dir)
	if err != nil {
		return err
	}
	if stage != diff.NotReproduced {
		for _, file := range files {
			fmt.Fprintln(k.told, "wrote", file)
		}
		return nil
	}
	dir := filepath.Join(k.dir, notReproduced)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	k.kept++
	for _, file := range files {
		if k.kept > mostNotReproduced {
			err = errors.Join(err, os.Remove(file))
		} else {
			err = errors.Join(err, os.Rename(file, filepath.Join(dir, filepath.Base(file))))
		}
	}
	return err
}
