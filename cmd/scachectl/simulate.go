package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"scache/compat/simulate"
)

// A simulateCommand is what "scachectl simulate" was called with.
type simulateCommand struct {
	options simulate.Options
	seed    uint64
	verbose bool
	json    bool
	result  string
}

func newSimulate() *cobra.Command {
	s := simulateCommand{options: simulate.Options{Seeds: 10_000, Most: 10, Workers: runtime.NumCPU()}}
	c := &cobra.Command{
		Use:   "simulate",
		Short: "run the daemon's event loop in a simulated kernel",
		Long: `Run the daemon's event loop in a simulated kernel, with simulated clients, and look
for anything that it must not do. All that happens in one run comes from its
seed.`,
		Args: cobra.NoArgs,
		RunE: untilInterrupted(s.run),
	}
	f := c.Flags()
	f.Uint64Var(&s.options.Seeds, "seeds", s.options.Seeds, "how `many` runs")
	f.Uint64Var(&s.options.First, "first", 0, "the `seed` of the first one")
	intVar(f, &s.options.Workers, "workers", 1, "the `number` of runs at a time")
	intVar(f, &s.options.Most, "failures", 0, "stop after so `many` failures; 0 for never")
	f.Uint64Var(&s.seed, "seed", 0, "run this `seed` alone")
	f.BoolVarP(&s.verbose, "verbose", "v", false, "print what happens, step by step, with --seed")
	f.BoolVar(&s.json, "json", false, "print the result as a line of JSON")
	fileVar(f, &s.result, "result", "", "write what came of it for the conformance page into this `file`")
	c.MarkFlagsMutuallyExclusive("seed", "result")
	c.MarkFlagsMutuallyExclusive("seed", "seeds")
	c.MarkFlagsMutuallyExclusive("seed", "json")
	return c
}

func (s *simulateCommand) run(c *cobra.Command, _ []string) error {
	out := c.OutOrStdout()
	if c.Flags().Changed("seed") {
		f := simulate.RunSmall(s.seed)
		if s.verbose {
			var without []int
			if f != nil {
				without = f.Without
			}
			simulate.Run(s.seed, without, out)
		}
		if f == nil {
			return nil
		}
		fmt.Fprintln(out, f)
		return errTold
	}
	line, start := newProgress(), time.Now()
	s.options.Progress = func(done uint64) {
		rate := float64(done) / time.Since(start).Seconds()
		left := time.Duration(float64(s.options.Seeds-done) / rate * float64(time.Second))
		line.show(fmt.Sprintf("%d of %d seeds, %.0f a second, %v left", done, s.options.Seeds, rate, left.Round(time.Second)))
	}
	report := simulate.Search(c.Context(), s.options)
	line.clear()
	if s.result != "" {
		if err := simulationResult(report, time.Since(start)).WriteFile(s.result); err != nil {
			return err
		}
	}
	if s.json {
		if err := json.NewEncoder(out).Encode(report); err != nil {
			return err
		}
	} else {
		for _, f := range report.Failures {
			fmt.Fprintf(out, "%v\n  see scachectl simulate --seed %d -v\n", f, f.Seed)
		}
		fmt.Fprintf(out, "%d seeds from %d on, %d failures, %.0f seeds a second\n", report.Seeds, report.First, len(report.Failures), report.Rate())
	}
	if len(report.Failures) > 0 {
		return errTold
	}
	return c.Context().Err()
}
