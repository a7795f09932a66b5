package diff

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"scache/compat/script"
)

// A Side is one of the caches that a script is run on.
type Side struct {
	Name    string
	Server  string // its socket; empty for the cache in this process
	Dialect string // what the server speaks; the newest if empty
}

// A Comparison is what came of a script on all sides.
type Comparison struct {
	Lookups     int           // that the first side made
	Differences []string      // each way in which a side differs from the first
	Errors      script.Errors // what is wrong with the script, as the first side sees it
	Runs        int           // how often the side that was late most often ran it
}

// A lookup is what a side found, and in which line.
type lookup struct {
	line   int
	result script.Result
}

func (l lookup) String() string { return fmt.Sprintf("line %d: %s", l.line, l.result) }

// same ignores where an SMTP session came from, which only a server's script
// tells beyond its number.
func (l lookup) same(other lookup) bool {
	l.result.Save, l.result.Line = 0, 0
	other.result.Save, other.result.Line = 0, 0
	return l == other
}

// CompareScript runs a script on all sides at once. On a server, "cache_type
// multi" gives the script labels of its own, as if the cache were empty. A side
// where the commands take longer than the seconds that they belong to runs the
// script again, up to the given number of times in all; after that the error is
// [script.ErrLate]. Errors of the script are in the comparison.
func CompareScript(name, text string, sides []Side, times int) (Comparison, error) {
	runs := make([]*scriptRun, len(sides))
	for i, side := range sides {
		runs[i] = &scriptRun{side: side, done: make(chan struct{})}
		go runs[i].runOften(name, text, times)
	}
	var err error
	var c Comparison
	for _, r := range runs {
		<-r.done
		if errors.Is(r.err, script.ErrNoScript) {
			return c, r.err // it is none on any side
		}
		c.Runs = max(c.Runs, r.times)
		if r.err != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", r.side.Name, r.err))
		}
	}
	if err != nil {
		return c, err
	}
	c.Lookups, c.Errors = len(runs[0].lookups), runs[0].errors
	for _, r := range runs[1:] {
		c.Differences = append(c.Differences, runs[0].compare(r)...)
	}
	return c, nil
}

// A scriptRun is a script on one side.
type scriptRun struct {
	side    Side
	lookups []lookup
	errors  script.Errors
	times   int
	err     error
	done    chan struct{}
}

func (r *scriptRun) runOften(name, text string, times int) {
	defer close(r.done)
	for r.times = 1; ; r.times++ {
		if r.run(name, text); r.times >= times || !errors.Is(r.err, script.ErrLate) {
			return
		}
	}
}

func (r *scriptRun) run(name, text string) {
	r.lookups, r.errors = nil, nil
	r.err = script.Run(strings.NewReader(text), script.Options{
		Out: io.Discard, Name: name, Server: r.side.Server, Version: r.side.Dialect, Lockstep: true,
		Found: func(line int, result script.Result) { r.lookups = append(r.lookups, lookup{line, result}) },
	})
	// A script may be about its errors: then it has the same on every side.
	if errors.As(r.err, &r.errors) && !errors.Is(r.err, script.ErrNoScript) {
		r.err = nil
	}
}

// maxDifferences is how many are told; one leads to many more.
const maxDifferences = 10

func (r *scriptRun) compare(other *scriptRun) (differences []string) {
	tell := func(format string, args ...any) {
		if len(differences) < maxDifferences {
			differences = append(differences, fmt.Sprintf(format, args...))
		}
	}
	for i := range min(len(r.lookups), len(other.lookups)) {
		if have, want := other.lookups[i], r.lookups[i]; !have.same(want) {
			tell("%s: %s; %s: %s", r.side.Name, want, other.side.Name, have)
		}
	}
	if have, want := len(other.lookups), len(r.lookups); have != want {
		tell("%s: %d lookups; %s: %d", r.side.Name, want, other.side.Name, have)
	}
	if have, want := firstError(other.errors, r.errors), firstError(r.errors, other.errors); have != want {
		tell("%s: %s; %s: %s", r.side.Name, want, other.side.Name, have)
	}
	return differences
}

// firstError is the first of a side's errors that the other side does not have.
func firstError(errors, others script.Errors) string {
	for _, e := range without(errors, others) {
		return e.Error()
	}
	return "no error"
}
