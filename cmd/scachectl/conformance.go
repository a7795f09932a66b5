package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"scache/compat/conformance"
	"scache/compat/diff"
	"scache/compat/simulate"
	"scache/compat/torture"
	"scache/scached/install"
	"scache/scached/version"
)

func newConformance() *cobra.Command {
	results, page := "testdata/conformance", "compat/CONFORMANCE.md"
	c := &cobra.Command{
		Use:   "conformance",
		Short: "make the page that says how scached was compared with the reference",
		Long: `Make the page that says how scached was compared with the reference, of the results
that diff, torture, simulate and fuzz have left with --result. It is to be run where the
project's source is.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			text, err := conformancePage(results)
			if err != nil {
				return err
			}
			return os.WriteFile(page, text, 0o666)
		},
	}
	directoryVar(c.Flags(), &results, "results", results, "the `directory` of the results")
	fileVar(c.Flags(), &page, "page", page, "the `file` to write")
	return c
}

func conformancePage(dir string) ([]byte, error) {
	facts, err := conformance.ReadFacts()
	if err != nil {
		return nil, err
	}
	results, err := conformance.Read(os.DirFS(dir))
	if err != nil {
		return nil, err
	}
	return conformance.Page(facts, results, diff.Named), nil
}

// newResult is a result of what was done today with this version.
func newResult(kind, subject string, took time.Duration, counts map[string]int64) *conformance.Result {
	return &conformance.Result{Kind: kind, Subject: subject, Commit: version.String(), Date: conformance.Today(),
		Seconds: float64(took.Round(time.Second) / time.Second), Counts: counts}
}

// diffResult is what "scachectl diff" found out.
func diffResult(report *diff.Report, seed uint64, reference string) (*conformance.Result, error) {
	tally := &report.Tally
	r := newResult("transcripts", "Those that come with the project", report.Time, map[string]int64{
		"transcripts": int64(report.Played), "scenarios": int64(len(report.Scripts)), "unnamed differences": int64(len(report.Unnamed()))})
	if len(tally.Done) > 0 {
		r.Kind, r.Subject, r.Seed = "random", "Random transcripts", seed
		r.Seconds = float64(int(tally.Seconds))
		r.Counts = map[string]int64{"transcripts": int64(tally.Played), "of them with waits of whole seconds, in which items expire": int64(tally.Timed),
			"unnamed differences":                                      int64(tally.Unnamed),
			"differences not reproduced":                               int64(tally.NotAgain),
			"groups with waits repeated, because the machine was busy": int64(tally.Repeated), "groups with waits not compared, for the same reason": int64(tally.Late)}
		for _, part := range tally.Done {
			r.Parts = append(r.Parts, conformance.Part{Name: fmt.Sprintf("%d to %d", part.From, part.To-1), Commit: part.Build,
				Passed: tally.Unnamed == 0, Counts: map[string]int64{"transcripts": int64(part.To - part.From)}})
		}
	}
	r.Named = make(map[string]int64)
	for name, n := range report.Names() {
		r.Named[name] = int64(n)
	}
	if reference == "" {
		r.Notes = append(r.Notes, "Compared with what is on record only.")
		return r, nil
	}
	var err error
	r.Reference, err = install.MailVersion(reference)
	return r, err
}

// recordingsResult makes a result one of recordings if nothing else was played.
func recordingsResult(r *conformance.Result, report *diff.Report, list []*diff.Transcript) {
	if r == nil || len(list) == 0 || len(list) != report.Played || len(report.Scripts) > 0 {
		return
	}
	failed := make(map[string]bool)
	for _, f := range report.Unnamed() {
		failed[f.Transcript.Name] = true
	}
	for _, name := range report.Late {
		failed[name] = true
	}
	all := map[string]int64{"recordings": int64(len(list)), "unnamed differences": int64(len(report.Unnamed()))}
	var parts []conformance.Part
	for _, t := range list {
		c, ok := t.Content()
		if !ok {
			return
		}
		counts := map[string]int64{"connections": int64(c.Connections), "sessions saved": int64(c.Sessions), "lookups": int64(c.Lookups)}
		for name, n := range counts {
			all[name] += n
		}
		parts = append(parts, conformance.Part{Name: t.Name, Passed: !failed[t.Name], Counts: counts,
			Note: fmt.Sprintf("%d seconds in which something may expire", c.Seconds)})
	}
	r.Kind, r.Subject, r.Counts, r.Parts = "recordings", "Mail of a private Postfix that a tap has recorded, played to both", all, parts
}

// attacksResult collects the outcomes of attacks on one program.
func attacksResult(began time.Time, outcomes []*torture.Outcome, short bool) *conformance.Result {
	r := newResult("attacks", "Attacks on scached", time.Since(began), nil)
	passed := 0
	for _, o := range outcomes {
		part := conformance.Part{Name: o.Attack, Passed: o.Passed(), Note: strings.Join(slices.DeleteFunc([]string{o.Remarks, o.Why()},
			func(s string) bool { return s == "" }), "; ")}
		if part.Passed {
			passed++
		}
		r.Parts = append(r.Parts, part)
	}
	r.Counts = map[string]int64{"attacks": int64(len(outcomes)), "after which the daemon was none the worse": int64(passed)}
	if short {
		r.Notes = append(r.Notes, "These are short: a few seconds an attack, as in the tests.")
	}
	return r
}

// simulationResult is what "scachectl simulate" found out.
func simulationResult(report *simulate.Report, took time.Duration) *conformance.Result {
	r := newResult("simulation", "The event loop in a simulated kernel", took, map[string]int64{
		"seeds": int64(report.Seeds), "failures": int64(len(report.Failures))})
	r.Notes = append(r.Notes, fmt.Sprintf("The seeds are %d to %d.", report.First, report.First+report.Seeds-1))
	return r
}
