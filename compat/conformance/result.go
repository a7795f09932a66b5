// Package conformance keeps what was found out about scached beside scache(8), and
// makes the page compat/CONFORMANCE.md of it.
//
// Whatever compares the two, simulates, attacks or fuzzes writes a [Result] with
// [Result.WriteFile], one file for each subject, into testdata/conformance, where
// it is committed:
//
//	r := conformance.Result{Kind: "simulation", Subject: "seeds", Date: conformance.Today(), Commit: version.String()}
//	r.Counts = map[string]int64{"seeds": 1_000_000, "violations": 0}
//	err := r.WriteFile("testdata/conformance/simulation-seeds.json")
//
// "make conformance" makes the page of all files there are, with [Page]. What is
// never measured but known, which versions of Postfix are on record and what is not
// covered, stands in facts.json. Nothing here runs anything, and nothing writes the
// page by hand: a test fails if it is not what the committed results make.
package conformance

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"time"
)

// A Result is what came of one kind of test, once.
type Result struct {
	// Kind is the part of the page where it stands; see [Kinds].
	Kind string `json:"kind"`
	// Subject says what was done to what, as it stands on the page: "scached and
	// the reference, random transcripts".
	Subject string `json:"subject"`
	// Commit is what scached was built from, as scached/version says it.
	Commit string `json:"commit"`
	// Reference is the version of the Postfix that it was compared with; empty if
	// there was none.
	Reference string `json:"reference,omitempty"`
	Date      string `json:"date"` // of the end, as 2006-01-02, in UTC
	// Seconds is how long it took; 0 if that says nothing.
	Seconds float64 `json:"seconds,omitempty"`
	Seed    uint64  `json:"seed,omitempty"`
	// Counts are in words that a reader of the page understands: "transcripts",
	// "with unnamed differences".
	Counts map[string]int64 `json:"counts,omitempty"`
	// Named counts the transcripts that show each named difference.
	Named map[string]int64 `json:"named,omitempty"`
	// Parts are what it is made of, in their order: ranges of random transcripts,
	// attacks, fuzz targets.
	Parts []Part `json:"parts,omitempty"`
	// Notes are whole sentences that a reader has to know.
	Notes []string `json:"notes,omitempty"`
}

// A Part of a result. What is empty is as in the whole.
type Part struct {
	Name    string           `json:"name"`
	Commit  string           `json:"commit,omitempty"`
	Passed  bool             `json:"passed"`
	Seconds float64          `json:"seconds,omitempty"`
	Counts  map[string]int64 `json:"counts,omitempty"`
	Note    string           `json:"note,omitempty"` // what there is to say beside that
}

// Kinds are the kinds of results in the order of the page, and their headings.
var Kinds = []struct{ Kind, Heading string }{
	{"transcripts", "Transcripts and scenarios"},
	{"random", "Random transcripts"},
	{"recordings", "Recordings"},
	{"simulation", "Simulated kernel"},
	{"attacks", "Attacks"},
	{"fuzzing", "Fuzzing"},
}

// Today is the date of a result.
func Today() string { return time.Now().UTC().Format(time.DateOnly) }

// check says what a result lacks.
func (r *Result) check() error {
	var errs []error
	if !slices.ContainsFunc(Kinds, func(k struct{ Kind, Heading string }) bool { return k.Kind == r.Kind }) {
		errs = append(errs, fmt.Errorf("unknown kind %q", r.Kind))
	}
	if r.Subject == "" || r.Commit == "" {
		errs = append(errs, errors.New("subject or commit missing"))
	}
	if _, err := time.Parse(time.DateOnly, r.Date); err != nil {
		errs = append(errs, fmt.Errorf("date: %w", err))
	}
	if len(r.Counts) == 0 && len(r.Parts) == 0 {
		errs = append(errs, errors.New("it counts nothing"))
	}
	return errors.Join(errs...)
}

// WriteFile writes the result, the same one always in the same way. The file is
// there as a whole or not at all.
func (r *Result) WriteFile(name string) error {
	if err := r.check(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(r); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := os.WriteFile(name+".new", b.Bytes(), 0o666); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

// Read reads all results of a directory, in the order of the page.
func Read(files fs.FS) ([]Result, error) {
	names, err := fs.Glob(files, "*.json")
	if err != nil {
		return nil, err
	}
	var all []Result
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		var r Result
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.DisallowUnknownFields()
		if err = decoder.Decode(&r); err == nil {
			err = r.check()
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path.Base(name), err)
		}
		all = append(all, r)
	}
	slices.SortStableFunc(all, func(a, b Result) int { return cmp.Compare(order(a.Kind), order(b.Kind)) })
	return all, nil
}

func order(kind string) int {
	return slices.IndexFunc(Kinds, func(k struct{ Kind, Heading string }) bool { return k.Kind == kind })
}
