package main

import (
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"scache/compat/bench"
)

// A benchCommand is what "scachectl bench" was called with.
type benchCommand struct {
	bench.Options
	args string
	json bool
	plot string
}

func newBench() *cobra.Command {
	b := benchCommand{Options: bench.Defaults()}
	c := &cobra.Command{
		Use:   "bench",
		Short: "measure scached and the reference",
		Args:  cobra.NoArgs,
		RunE:  untilInterrupted(b.run),
	}
	f := c.Flags()
	fileVar(f, &b.Scached, "scached", besideUs("scached"), "our `daemon`")
	fileVar(f, &b.Reference, "reference", "", "the reference's `daemon` (default: the installed scache)")
	f.StringVar(&b.args, "args", "", "`arguments` of our daemon, as in master.cf")
	f.StringSliceVar(&b.Parts, "only", b.Parts, "which `parts` to measure")
	f.IntSliceVar(&b.Sessions, "sessions", b.Sessions, "`numbers` of sessions that are cached")
	f.IntSliceVar(&b.Clients, "clients", b.Clients, "`numbers` of clients at a time")
	f.DurationSliceVar(&b.Pauses, "pauses", b.Pauses, "pauses of one client between two cycles, as `durations`")
	f.IntSliceVar(&b.PauseSessions, "pause-sessions", b.PauseSessions, "`numbers` of sessions that are cached with pauses")
	intVar(f, &b.Rounds, "rounds", 1, "how `often` everything is measured")
	durationVar(f, &b.Length, "time", time.Millisecond, "how `long` each load lasts")
	intVar(f, &b.TTL, "ttl", 1, "`seconds` that the sessions of the load may stay; the cached ones stay for an hour, and in a mail system all stay equally long")
	intVar(f, &b.Messages, "messages", 1, "how `many` messages go through Postfix")
	f.BoolVar(&b.json, "json", false, "print everything as JSON")
	fileVar(f, &b.plot, "plot", "", "draw CPU over sessions cached into this `file` (SVG)")
	c.RegisterFlagCompletionFunc("only", words(bench.Parts...))
	return c
}

func (b *benchCommand) run(c *cobra.Command, _ []string) error {
	b.Args = strings.Fields(b.args)
	if term.IsTerminal(int(os.Stderr.Fd())) {
		b.Progress = os.Stderr
	}
	report, err := bench.Run(c.Context(), b.Options)
	if err != nil {
		return err
	}
	if b.plot != "" {
		if err := writePlot(report, b.plot); err != nil {
			return err
		}
	}
	if b.json {
		return report.WriteJSON(c.OutOrStdout())
	}
	return report.WriteText(c.OutOrStdout())
}

func writePlot(report *bench.Report, path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := report.WritePlot(file); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}
