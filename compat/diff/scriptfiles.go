package diff

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"scache/compat/script"
)

// ErrDifferent means that two sides do not agree; the output tells in what.
var ErrDifferent = errors.New("the servers differ")

// maxSleep is how many seconds a script may sleep to be run in real time.
const maxSleep = 30

// A ScriptResult is what came of a script of cache operations.
type ScriptResult struct {
	Name        string   `json:"name"`
	Summary     string   `json:"summary"`
	Differences []string `json:"differences,omitempty"`
	// Errors are those of the script that it is not to have, and why it was not
	// compared.
	Errors []string `json:"errors,omitempty"`
	// Runs is how often it was run, because the machine was too busy for it.
	Runs int `json:"runs,omitempty"`

	late     bool // the machine was too busy
	compared bool // something was looked up
}

// clean tells whether the sides agreed, and nothing else was wrong.
func (r *ScriptResult) clean() bool { return len(r.Differences) == 0 && len(r.Errors) == 0 }

// CompareScripts runs each script on all sides, all scripts at once, and writes
// to out what came of each. The error joins [ErrDifferent] and what is wrong with
// the scripts.
func CompareScripts(ctx context.Context, files []string, sides []Side, out io.Writer) error {
	var errs []error
	compared := false
	results := compareScripts(ctx, files, sides)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, r := range results {
		r.print(out)
		compared = compared || r.compared
		if len(r.Differences) > 0 && len(errs) == 0 {
			errs = append(errs, ErrDifferent)
		}
		for _, text := range r.Errors {
			errs = append(errs, errors.New(text))
		}
	}
	if !compared && len(errs) == 0 {
		errs = append(errs, errors.New("nothing was compared: every script was left out"))
	}
	return errors.Join(errs...)
}

func (r *ScriptResult) print(out io.Writer) {
	fmt.Fprintf(out, "%-30s %s\n", r.Name, r.Summary)
	for _, difference := range r.Differences {
		fmt.Fprintf(out, "    %s\n", difference)
	}
}

// compareScripts runs all scripts at once, and then, one at a time, those for
// which the machine was too busy. After the end of ctx it begins no other one.
func compareScripts(ctx context.Context, files []string, sides []Side) []ScriptResult {
	results := make([]ScriptResult, len(files))
	var wait sync.WaitGroup
	for i, file := range files {
		wait.Go(func() { results[i] = compareFile(file, sides, timesTogether, 0) })
	}
	// A script that sleeps does not hear of an interrupt.
	done := make(chan struct{})
	go func() { wait.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		return nil
	}
	for i, file := range files {
		if results[i].late && ctx.Err() == nil {
			results[i] = compareFile(file, sides, timesAlone, timesTogether)
		}
	}
	return results
}

// compareFile compares a script, which may be run a number of times, and was run
// before that often without a result.
func compareFile(file string, sides []Side, times, before int) ScriptResult {
	r := ScriptResult{Name: strings.TrimSuffix(filepath.Base(file), ".in")}
	text, err := os.ReadFile(file)
	if err != nil {
		return r.failed("not read", err)
	}
	expected, err := expectedErrors(file)
	if err != nil {
		return r.failed("not read", err)
	}
	if reason := unfit(string(text)); reason != "" {
		r.Summary = "left out: " + reason
		return r
	}
	c, err := CompareScript(file, string(text), sides, times)
	if r.Runs = c.Runs + before; err != nil {
		r.late = errors.Is(err, script.ErrLate)
		if r.late {
			return r.failed(fmt.Sprintf("NOT COMPARED, run %d times on a busy machine", r.Runs), err)
		}
		return r.failed("NOT COMPARED", err)
	}
	r.summarize(c)
	if wrong := without(c.Errors, expected); len(wrong) > 0 {
		r.Summary += ", not all of it is right"
		r.Errors = []string{wrong.Error()}
	}
	return r
}

func (r ScriptResult) failed(summary string, err error) ScriptResult {
	r.Summary, r.Errors = summary, []string{err.Error()}
	return r
}

func (r *ScriptResult) summarize(c Comparison) {
	r.Differences = c.Differences
	r.compared = c.Lookups > 0 || len(c.Differences) > 0
	switch {
	case len(c.Differences) > 0:
		r.Summary = fmt.Sprintf("%d lookups, DIFFERENT", c.Lookups)
	case c.Lookups == 0:
		r.Summary = "left out: it looks nothing up"
	default:
		r.Summary = fmt.Sprintf("%d lookups, the same", c.Lookups)
	}
	if r.Runs > 1 {
		r.Summary += fmt.Sprintf(", run %d times on a busy machine", r.Runs)
	}
}

// expectedErrors are those that the script printed when its .ref file was made.
func expectedErrors(file string) (script.Errors, error) {
	ref, found := strings.CutSuffix(file, ".in")
	if !found {
		return nil, nil
	}
	text, err := os.ReadFile(ref + ".ref")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return script.Expected(file, string(text)), nil
}

// without returns the errors that are not among the others.
func without(all, others script.Errors) script.Errors {
	return slices.DeleteFunc(slices.Clone(all), func(e *script.Error) bool {
		return slices.ContainsFunc(others, func(other *script.Error) bool { return e.Line == other.Line && e.Text == other.Text })
	})
}

// unfit tells why a script cannot be run on servers.
func unfit(text string) string {
	sleep := 0
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) != 2 {
			continue
		}
		switch seconds, _ := strconv.Atoi(words[1]); {
		case words[0] == "sleep":
			sleep += seconds
		case words[0] == "cache_type" && words[1] == "single":
			return "a server is never of the type single"
		}
	}
	if sleep > maxSleep {
		return fmt.Sprintf("it sleeps %d seconds", sleep)
	}
	return ""
}
