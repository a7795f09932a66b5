package main

import (
	"errors"
	"fmt"
	"io"
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
	args         string
	json         bool
	markdown     bool
	sessionsPlot string
	ratePlot     string
}

func newBench() *cobra.Command {
	b := benchCommand{Options: bench.Defaults()}
	c := &cobra.Command{
		Use:   "bench [REPORT...]",
		Short: "measure scached and the reference",
		Long: `Measure scached and the reference, or, with files that --json wrote, join those
reports of the same programs to one and print that.`,
		RunE: untilInterrupted(b.run),
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
	intVar(f, &b.Rounds, "rounds", 1, "the `number` of times that everything is measured")
	durationVar(f, &b.Length, "time", time.Millisecond, "the `time` that each load lasts")
	intVar(f, &b.TTL, "ttl", 1, "`seconds` that the sessions of the load may stay; the cached ones stay for an hour, and in a mail system all stay equally long")
	durationVar(f, &b.Quiet, "quiet", time.Millisecond, "the `time` in which nothing happens")
	intVar(f, &b.Messages, "messages", 1, "the `number` of messages that go through Postfix as fast as they can")
	durationVar(f, &b.Paced, "paced", time.Second, "the `time` for which messages go through Postfix at 60 a second")
	f.BoolVar(&b.json, "json", false, "print everything as JSON")
	f.BoolVar(&b.markdown, "markdown", false, "print the tables of the README, the worst ratio first")
	c.MarkFlagsMutuallyExclusive("json", "markdown")
	fileVar(f, &b.sessionsPlot, "plot", "", "draw CPU over sessions cached into this `file` (SVG)")
	fileVar(f, &b.ratePlot, "rate-plot", "", "draw CPU over the rate of cycles into this `file` (SVG)")
	c.RegisterFlagCompletionFunc("only", words(bench.Parts...))
	return c
}

func (b *benchCommand) run(c *cobra.Command, files []string) error {
	report, err := b.report(c, files)
	if err != nil {
		return err
	}
	if err := writePlot(b.sessionsPlot, report.WriteSessionsPlot); err != nil {
		return err
	}
	if err := writePlot(b.ratePlot, report.WriteRatePlot); err != nil {
		return err
	}
	switch {
	case b.json:
		return report.WriteJSON(c.OutOrStdout())
	case b.markdown:
		return report.WriteMarkdown(c.OutOrStdout())
	}
	return report.WriteText(c.OutOrStdout())
}

// report measures, or reads what was measured.
func (b *benchCommand) report(c *cobra.Command, files []string) (*bench.Report, error) {
	if len(files) > 0 {
		return readReports(files)
	}
	if err := b.Check(); err != nil {
		return nil, misuse{err}
	}
	b.Args = strings.Fields(b.args)
	if term.IsTerminal(int(os.Stderr.Fd())) {
		b.Progress = os.Stderr
	}
	return bench.Run(c.Context(), b.Options)
}

func readReports(files []string) (*bench.Report, error) {
	var reports []*bench.Report
	for _, name := range files {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		report, err := bench.ReadReport(file)
		file.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		reports = append(reports, report)
	}
	return bench.Join(reports...)
}

// writePlot makes a file of that name, if there is one.
func writePlot(name string, write func(io.Writer) error) error {
	if name == "" {
		return nil
	}
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}
