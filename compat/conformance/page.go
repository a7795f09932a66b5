package conformance

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Facts are what the page says that no result holds.
type Facts struct {
	Records  []string `json:"records"` // what a reader has to know of them all
	Versions []struct {
		Version string `json:"version"`
		Dialect string `json:"dialect"`
		How     string `json:"how"` // it was obtained, and what was done with it
	} `json:"versions"`
	NotCovered []string `json:"not_covered"`
}

//go:embed facts.json
var factsFile []byte

// ReadFacts returns the facts that come with the package.
func ReadFacts() (*Facts, error) {
	f := new(Facts)
	if err := json.Unmarshal(factsFile, f); err != nil {
		return nil, fmt.Errorf("facts.json: %w", err)
	}
	return f, nil
}

// Page makes the page of results, in the order of [Read]. Named are the differences
// that are there on purpose, with the reason of each.
func Page(facts *Facts, results []Result, named map[string]string) []byte {
	var b strings.Builder
	b.WriteString("# Conformance\n\nWhat was done to find out whether scached does what Postfix's scache(8) does, and what came of it.\n" +
		"This page is made of the results in `testdata/conformance` by `make conformance`, and never edited.\n\n## Versions of Postfix\n")
	for _, text := range facts.Records {
		fmt.Fprintf(&b, "\n%s\n", text)
	}
	b.WriteString("\n| version | dialect | how it was obtained, and what was done with it |\n| --- | --- | --- |\n")
	for _, v := range facts.Versions {
		fmt.Fprintf(&b, "| %s | `%s` | %s |\n", v.Version, v.Dialect, v.How)
	}
	for _, kind := range Kinds {
		printKind(&b, kind.Kind, kind.Heading, results)
	}
	b.WriteString("\n## Differences that are there on purpose\n\nEach of them is shown by a transcript that comes with the project.\n\n" +
		"| name | what ours does, and why |\n| --- | --- |\n")
	for _, name := range slices.Sorted(maps.Keys(named)) {
		fmt.Fprintf(&b, "| %s | %s |\n", name, named[name])
	}
	b.WriteString("\n## What is not covered\n\n")
	for _, text := range facts.NotCovered {
		fmt.Fprintf(&b, "- %s\n", text)
	}
	return []byte(b.String())
}

func printKind(b *strings.Builder, kind, heading string, results []Result) {
	fmt.Fprintf(b, "\n## %s\n", heading)
	none := true
	for i := range results {
		if r := &results[i]; r.Kind == kind {
			none = false
			r.print(b)
		}
	}
	if none {
		b.WriteString("\nThere is no result yet.\n")
	}
}

func (r *Result) print(b *strings.Builder) {
	fmt.Fprintf(b, "\n%s: commit %s, %s", r.Subject, r.Commit, r.Date)
	if r.Reference != "" {
		fmt.Fprintf(b, ", beside Postfix %s", r.Reference)
	}
	if r.Seed != 0 {
		fmt.Fprintf(b, ", seed %d", r.Seed)
	}
	if r.Seconds > 0 {
		fmt.Fprintf(b, ", %.0f seconds", r.Seconds)
	}
	b.WriteString(".\n\n")
	for _, what := range slices.Sorted(maps.Keys(r.Counts)) {
		fmt.Fprintf(b, "- %s: %s\n", what, grouped(r.Counts[what]))
	}
	if len(r.Named) > 0 {
		var counts []string
		for _, name := range slices.Sorted(maps.Keys(r.Named)) {
			counts = append(counts, fmt.Sprintf("%s (%s)", name, grouped(r.Named[name])))
		}
		fmt.Fprintf(b, "- with named differences: %s\n", strings.Join(counts, ", "))
	}
	if len(r.Parts) > 0 {
		b.WriteString("\n| part | passed | counts | |\n| --- | --- | --- | --- |\n")
		for _, p := range r.Parts {
			p.print(b)
		}
	}
	for _, note := range r.Notes {
		fmt.Fprintf(b, "\n%s\n", note)
	}
}

func (p *Part) print(b *strings.Builder) {
	var counts []string
	for _, what := range slices.Sorted(maps.Keys(p.Counts)) {
		counts = append(counts, what+" "+grouped(p.Counts[what]))
	}
	if p.Seconds > 0 {
		counts = append(counts, fmt.Sprintf("%.0f seconds", p.Seconds))
	}
	note := p.Note
	if p.Commit != "" {
		note = strings.TrimPrefix(note+"; commit "+p.Commit, "; ")
	}
	passed := "yes"
	if !p.Passed {
		passed = "NO"
	}
	fmt.Fprintf(b, "| %s | %s | %s | %s |\n", p.Name, passed, strings.Join(counts, ", "), strings.NewReplacer("|", "\\|", "\n", " ").Replace(note))
}

// grouped is a number with a comma between its thousands.
func grouped(n int64) string {
	text := fmt.Sprint(n)
	for at := len(text) - 3; at > 0 && text[at-1] != '-'; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
