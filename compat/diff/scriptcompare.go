package diff

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"scache/compat/script"
)

// A Side is one of the caches.
type Side struct {
	Name   string
	Server string // its socket; empty for the cache in this process
}

// scriptTries is how often a machine may be too busy to keep up with the script.
const scriptTries = 5

// A lookup is what a side found, and in which line.
type lookup struct {
	line   int
	result script.Result
}

func (l lookup) String() string { return fmt.Sprintf("line %d: %s", l.line, l.result) }

// same ignores where a session came from, which only a server's script tells
// beyond the number of the SMTP session.
func (l lookup) same(other lookup) bool {
	l.result.Save, l.result.Line = 0, 0
	other.result.Save, other.result.Line = 0, 0
	return l == other
}

// Compare runs a script on all sides. It returns how many lookups there were,
// and each way in which a side differs from the first. On a server, "cache_type
// multi" gives the script labels of its own, as if the cache were empty.
func CompareScript(text string, sides []Side) (lookups int, differences []string, err error) {
	runs := make([]*scriptRun, len(sides))
	for i, side := range sides {
		runs[i] = &scriptRun{side: side, done: make(chan struct{})}
		go runs[i].tryOften(text)
	}
	for _, r := range runs {
		<-r.done
		if r.err != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", r.side.Name, r.err))
		}
	}
	if err != nil {
		return 0, nil, err
	}
	for _, r := range runs[1:] {
		differences = append(differences, runs[0].compare(r)...)
	}
	return len(runs[0].lookups), differences, nil
}

// A run is a script on one side.
type scriptRun struct {
	side    Side
	lookups []lookup
	failure string // what the script said last, if it failed
	err     error
	done    chan struct{}
}

func (r *scriptRun) tryOften(text string) {
	defer close(r.done)
	for range scriptTries {
		if r.try(text); !errors.Is(r.err, script.ErrLate) {
			return
		}
	}
}

func (r *scriptRun) try(text string) {
	r.lookups = nil
	var out bytes.Buffer
	err := script.Run(strings.NewReader(text), script.Options{
		Out: &out, Server: r.side.Server, Lockstep: true,
		Found: func(line int, result script.Result) { r.lookups = append(r.lookups, lookup{line, result}) },
	})
	// A script may be about its errors: then it fails on every side.
	r.failure = ""
	if errors.Is(err, script.ErrFailed) {
		err, r.failure = nil, lastLine(out.String())
	}
	r.err = err
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
	if r.failure != other.failure {
		tell("%s: ends with %q; %s: with %q", r.side.Name, r.failure, other.side.Name, other.failure)
	}
	return differences
}

func lastLine(text string) string {
	text = strings.TrimSuffix(text, "\n")
	return text[strings.LastIndexByte(text, '\n')+1:]
}
