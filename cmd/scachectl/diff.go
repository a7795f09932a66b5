package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"golang.org/x/term"

	"scache/compat/diff"
	"scache/scached/install"
)

// A diffCommand is what "scachectl diff" was called with.
type diffCommand struct {
	options   diff.Options
	offline   bool
	json, all bool
	save      string
	files     []string
}

// runDiff is "scachectl diff".
func runDiff(args []string) int {
	var c diffCommand
	f := flag.NewFlagSet("diff", flag.ContinueOnError)
	f.StringVar(&c.options.Ours, "scached", besideUs("scached"), "our daemon")
	f.StringVar(&c.options.Reference, "reference", "", "the reference (default: the installed scache)")
	f.StringVar(&c.options.Dialect, "protocol", "", "what the reference speaks, if it is older than Postfix 3.6: 2.3, 2.2 or 20040720")
	f.BoolVar(&c.offline, "offline", false, "compare with what is on record, without a reference")
	f.Uint64Var(&c.options.Random, "random", 0, "how many random transcripts to play")
	f.Uint64Var(&c.options.Seed, "seed", 0, "of the random transcripts (default a new one each time)")
	f.BoolVar(&c.json, "json", false, "print the report as JSON")
	f.BoolVar(&c.all, "all", false, "show the transcripts with named differences, too")
	f.StringVar(&c.save, "save", "", "write transcripts with unnamed differences into this `directory`")
	if err := f.Parse(args); err != nil {
		return 2
	}
	if c.files = f.Args(); c.offline && c.options.Random > 0 {
		fmt.Fprintln(os.Stderr, "scachectl diff: random transcripts are on no record, so not with -offline")
		return 2
	}
	ctx, stop := untilInterrupted()
	defer stop()
	clean, err := c.run(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "scachectl diff:", err)
	}
	if err != nil || !clean {
		return 1
	}
	return 0
}

func (c *diffCommand) run(ctx context.Context) (clean bool, err error) {
	if err := c.findReference(); err != nil {
		return false, err
	}
	dir, err := os.MkdirTemp("", "scdiff")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	if err := c.load(dir); err != nil {
		return false, err
	}
	if c.options.Random > 0 && c.options.Seed == 0 {
		c.options.Seed = rand.Uint64()
		fmt.Fprintf(os.Stderr, "seed %d\n", c.options.Seed)
	}
	if term.IsTerminal(int(os.Stderr.Fd())) {
		c.options.Progress = showProgress
	}
	report, err := diff.Run(ctx, c.options)
	if c.options.Progress != nil {
		fmt.Fprint(os.Stderr, "\r\033[K")
	}
	if err != nil {
		return false, err
	}
	return report.Clean(), errors.Join(c.saveFindings(report), c.print(report))
}

func (c *diffCommand) findReference() (err error) {
	switch {
	case c.offline:
		c.options.Reference = ""
	case c.options.Reference == "":
		if c.options.Reference, err = install.ReferenceProgram(); err != nil {
			return fmt.Errorf("%w; -offline compares with what is on record", err)
		}
	}
	return nil
}

// load reads the files. Without any, and when nothing else is to be done, it
// takes what comes with the project; that needs a directory for the scripts.
func (c *diffCommand) load(dir string) (err error) {
	if len(c.files) == 0 && c.options.Random == 0 {
		if c.options.Transcripts, err = diff.BuiltIn(); err == nil && !c.offline {
			c.options.Scripts, err = diff.BuiltInScripts(dir)
		}
		return err
	}
	for _, file := range c.files {
		if filepath.Ext(file) == ".in" {
			c.options.Scripts = append(c.options.Scripts, file)
			continue
		}
		list, err := diff.ReadFile(file)
		if err != nil {
			return err
		}
		c.options.Transcripts = append(c.options.Transcripts, list...)
	}
	return nil
}

func (c *diffCommand) saveFindings(report *diff.Report) error {
	if c.save == "" {
		return nil
	}
	saved, err := report.Save(c.save)
	for _, file := range saved {
		fmt.Fprintln(os.Stderr, "wrote", file)
	}
	return err
}

func (c *diffCommand) print(report *diff.Report) error {
	if c.json {
		return report.WriteJSON(os.Stdout)
	}
	return report.WriteText(os.Stdout, c.all)
}

func showProgress(done, total int) {
	if done%10 == 0 || done == total {
		fmt.Fprintf(os.Stderr, "\r\033[K%d of %d transcripts", done, total)
	}
}
