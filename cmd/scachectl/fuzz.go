package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"scache/compat/conformance"
	"scache/compat/fuzz"
)

// A fuzzCommand is what "scachectl fuzz" was called with.
type fuzzCommand struct {
	time   time.Duration
	only   string
	result string
}

func newFuzz() *cobra.Command {
	f := fuzzCommand{time: time.Minute}
	c := &cobra.Command{
		Use:   "fuzz [PACKAGE...]",
		Short: "run the fuzz targets, one after the other",
		Long: `Run the fuzz targets of the packages, all there are without any, one after the other,
and say how many inputs each was given. Inputs that fail are kept in testdata/fuzz
of the package. It is to be run where the project's source is.`,
		RunE: untilInterrupted(f.run),
	}
	durationVar(c.Flags(), &f.time, "time", time.Second, "how `long` each of them")
	c.Flags().StringVar(&f.only, "only", "", "only targets with this `text` in their name")
	fileVar(c.Flags(), &f.result, "result", "", "write what came of it for the conformance page into this `file`, anew after each target")
	return c
}

func (f *fuzzCommand) run(c *cobra.Command, packages []string) error {
	if len(packages) == 0 {
		packages = []string{"./..."}
	}
	targets, err := fuzz.Targets(c.Context(), packages...)
	if err != nil {
		return err
	}
	var runs []fuzzRun
	failed := false
	for _, t := range targets {
		if !strings.Contains(t.Name, f.only) {
			continue
		}
		outcome, err := f.runOne(c, t)
		if err != nil && (outcome.Inputs == 0 || !errors.Is(err, context.Canceled)) {
			return err
		}
		runs = append(runs, fuzzRun{t, outcome})
		failed = failed || outcome.Failure != ""
		if f.result != "" {
			if err := fuzzResult(runs).WriteFile(f.result); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
	if len(runs) == 0 {
		return fmt.Errorf("there is no such target")
	}
	if failed {
		return errTold
	}
	return nil
}

func (f *fuzzCommand) runOne(c *cobra.Command, t fuzz.Target) (fuzz.Outcome, error) {
	name, line := t.Package+" "+t.Name, newProgress()
	line.show(name)
	outcome, err := t.Run(c.Context(), f.time, func(o fuzz.Outcome) {
		line.show(fmt.Sprintf("%s: %d inputs, %v left", name, o.Inputs, (f.time - o.Took).Round(time.Second)))
	})
	line.clear()
	if err == nil || outcome.Inputs > 0 {
		fmt.Fprintf(c.OutOrStdout(), "%s: %d inputs in %v\n", name, outcome.Inputs, outcome.Took)
	}
	if outcome.Failure != "" {
		fmt.Fprintf(c.OutOrStdout(), "%s failed:\n%s", name, outcome.Failure)
	}
	return outcome, err
}

// A fuzzRun is a target and what came of it.
type fuzzRun struct {
	fuzz.Target
	fuzz.Outcome
}

// fuzzResult is what "scachectl fuzz" found out.
func fuzzResult(runs []fuzzRun) *conformance.Result {
	var inputs, failed int64
	var took time.Duration
	var parts []conformance.Part
	for _, r := range runs {
		took += r.Took
		inputs += r.Inputs
		if r.Failure != "" {
			failed++
		}
		parts = append(parts, conformance.Part{Name: strings.TrimPrefix(r.Package, "scache/") + " " + r.Name, Passed: r.Failure == "",
			Seconds: r.Took.Seconds(), Counts: map[string]int64{"inputs": r.Inputs}})
	}
	result := newResult("fuzzing", "Fuzz targets, one after the other, on all processors", took,
		map[string]int64{"inputs": inputs, "targets": int64(len(runs)), "targets that failed": failed})
	result.Parts = parts
	result.Notes = []string{fmt.Sprintf("That is %.2f hours in sum.", took.Hours())}
	return result
}
