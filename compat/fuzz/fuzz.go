// Package fuzz runs every fuzz target of the module, one after the other, and adds
// up how long each ran and how many inputs it was given.
//
// [Targets] asks "go test" for the targets, and [Target.Run] gives one of them some
// time. Both are to be called where the project's source is. An input that fails is
// kept by "go test" as always, in testdata/fuzz of the target's package; nothing
// here looks at inputs, or decides what is a failure.
package fuzz

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A Target is a function for "go test -fuzz".
type Target struct{ Package, Name string }

// An Outcome is what came of a run of a target.
type Outcome struct {
	// Inputs is how many it was given, and Took the time of that, without what it
	// takes to build the test, as "go test" counts both.
	Inputs int64
	Took   time.Duration
	// Failure is what "go test" printed, if an input or the target itself failed.
	Failure string
}

// Targets lists the targets in the packages that the patterns stand for, in the
// order of "go list".
func Targets(ctx context.Context, patterns ...string) ([]Target, error) {
	out, err := exec.CommandContext(ctx, "go", append([]string{"test", "-list", "^Fuzz"}, patterns...)...).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("go test -list: %w\n%s", err, out)
	}
	return parseList(string(out)), nil
}

// parseList reads what "go test -list" prints: the names that a package has, and
// then a line with the package.
func parseList(out string) []Target {
	var all []Target
	var names []string
	for line := range strings.Lines(out) {
		switch fields := strings.Fields(line); {
		case len(fields) == 1 && strings.HasPrefix(fields[0], "Fuzz"):
			names = append(names, fields[0])
		case len(fields) > 1 && fields[0] == "ok":
			for _, name := range names {
				all = append(all, Target{fields[1], name})
			}
			names = nil
		}
	}
	return all
}

// Run gives the target new inputs for as long as limit says, on all processors, and
// less if ctx ends. It calls progress, unless that is nil, with what was done so
// far every few seconds. An error means that the target could not be run to its
// end, which ctx is a reason for; the outcome holds what was done until then.
func (t Target) Run(ctx context.Context, limit time.Duration, progress func(Outcome)) (Outcome, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-fuzz", "^"+t.Name+"$", "-fuzztime", limit.String(), t.Package)
	// The processes that it starts are to end with it, and in order: the group of
	// a terminal would get the signal twice.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGINT}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = 10 * time.Second
	out := output{progress: progress}
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return out.outcome, ctx.Err()
	case err != nil && bytes.Contains(out.all.Bytes(), []byte("--- FAIL: ")):
		out.outcome.Failure = out.all.String()
		return out.outcome, nil
	case err != nil:
		return out.outcome, fmt.Errorf("go test -fuzz %s %s: %w\n%s", t.Name, t.Package, err, out.all.String())
	case out.outcome.Inputs == 0:
		return out.outcome, fmt.Errorf("go test -fuzz %s %s: no input was tried\n%s", t.Name, t.Package, out.all.String())
	}
	return out.outcome, nil
}

// An output reads what "go test -fuzz" prints while it prints it.
type output struct {
	all      bytes.Buffer // without the lines that say how far it is
	line     []byte       // that is not complete yet
	outcome  Outcome
	progress func(Outcome)
}

var far = regexp.MustCompile(`^fuzz: elapsed: (\S+), execs: (\d+) `)

func (o *output) Write(p []byte) (int, error) {
	o.line = append(o.line, p...)
	for {
		line, rest, whole := bytes.Cut(o.line, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		o.take(line)
		o.line = rest
	}
}

func (o *output) take(line []byte) {
	match := far.FindSubmatch(line)
	if match == nil {
		if !bytes.HasPrefix(line, []byte("fuzz: elapsed: ")) {
			fmt.Fprintf(&o.all, "%s\n", line)
		}
		return
	}
	took, err := time.ParseDuration(string(match[1]))
	inputs, err2 := strconv.ParseInt(string(match[2]), 10, 64)
	if err != nil || err2 != nil {
		return
	}
	o.outcome.Took, o.outcome.Inputs = took, inputs
	if o.progress != nil {
		o.progress(o.outcome)
	}
}
