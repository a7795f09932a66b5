package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"scache/compat/diff"
	"scache/scached/install"
	"scache/scached/version"
)

// A diffCommand is what "scachectl diff" was called with.
type diffCommand struct {
	options   diff.Options
	offline   bool
	json, all bool
	recorded  bool // play recordings at their speed
	save      string
	resume    string
	result    string
	files     []string
}

func newDiff() *cobra.Command {
	var d diffCommand
	c := &cobra.Command{
		Use:               "diff [FILE...]",
		Short:             "compare scached with the reference at everything that can be seen",
		ValidArgsFunction: files,
		RunE: untilInterrupted(func(c *cobra.Command, args []string) error {
			d.files = args
			return d.run(c.Context(), c.OutOrStdout(), c.ErrOrStderr())
		}),
	}
	f := c.Flags()
	fileVar(f, &d.options.Ours, "scached", besideUs("scached"), "our `daemon`")
	fileVar(f, &d.options.Reference, "reference", "", "the reference's `daemon` (default: the installed scache)")
	f.StringVar(&d.options.Dialect, "protocol", "", "the `dialect` of the reference, if it is older than Postfix 2.4 and does not say its version: 2.3, 2.2 or 20040720")
	f.BoolVar(&d.offline, "offline", false, "compare with what is on record, without a reference; there is no such record of recordings")
	f.Uint64Var(&d.options.Random, "random", 0, "the `number` of random transcripts to play")
	f.Uint64Var(&d.options.Seed, "seed", 0, "`number` that the random transcripts come from (default a new one each time)")
	fileVar(f, &d.resume, "resume", "", "keep in this `file` what has come of the random transcripts, and go on from there")
	fileVar(f, &d.result, "result", "", "write what came of it for the conformance page into this `file`")
	f.IntVar(&d.options.Workers, "workers", 0, "the `number` of random transcripts at a time (default one a processor)")
	f.BoolVar(&d.options.Patient, "patient", false, "play random transcripts on any processor, which takes longer")
	f.BoolVar(&d.recorded, "recorded-speed", false, "play recordings in the time that they took, also where nothing expires")
	f.BoolVar(&d.options.Together, "together", false, "play all transcripts one after the other to the same daemons, and compare what these have counted")
	f.BoolVar(&d.json, "json", false, "print the report as JSON")
	f.BoolVar(&d.all, "all", false, "show the transcripts with named differences, too")
	directoryVar(f, &d.save, "save", "", "write unnamed differences, with the transcripts that show them, into this `directory` as soon as they are seen")
	c.MarkFlagsMutuallyExclusive("offline", "random") // random transcripts are on no record
	return c
}

func (c *diffCommand) run(ctx context.Context, out, told io.Writer) error {
	if err := c.findReference(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "scdiff")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := c.load(dir); err != nil {
		return err
	}
	if c.resume != "" {
		c.options.Checkpoint = c.writeTally
		if err := c.readTally(); err != nil {
			return err
		}
	}
	if c.options.Random > 0 && c.options.Seed == 0 {
		c.options.Seed = rand.Uint64()
		fmt.Fprintf(told, "seed %d\n", c.options.Seed)
	}
	c.options.Named, c.options.Build = c.all, version.String()
	line := newProgress()
	c.options.Progress = newPace(line.show).played
	findings := &findings{dir: c.save, told: told, clear: line.clear}
	c.options.Found = findings.found
	report, err := diff.Run(ctx, c.options)
	line.clear()
	if err = errors.Join(err, findings.err); err != nil {
		return err
	}
	err = errors.Join(c.print(report, out), c.writeResult(report))
	if err == nil && !report.Clean() {
		return errTold
	}
	return err
}

func (c *diffCommand) writeResult(report *diff.Report) error {
	if c.result == "" {
		return nil
	}
	r, err := diffResult(report, c.options.Seed, c.options.Reference)
	recordingsResult(r, report, c.options.Transcripts)
	if err != nil {
		return err
	}
	return r.WriteFile(c.result)
}

func (c *diffCommand) findReference() (err error) {
	switch {
	case c.offline:
		c.options.Reference = ""
	case c.options.Reference == "":
		if c.options.Reference, err = install.ReferenceProgram(); err != nil {
			return fmt.Errorf("%w; --offline compares with what is on record", err)
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
		if c.recorded {
			t, err := diff.ReadRecording(file)
			if err != nil {
				return err
			}
			c.options.Transcripts = append(c.options.Transcripts, t)
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

func (c *diffCommand) print(report *diff.Report, out io.Writer) error {
	if c.json {
		return report.WriteJSON(out)
	}
	return report.WriteText(out, c.all)
}
