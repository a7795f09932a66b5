package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"scache/compat/diff"
)

// What is known of a finding at the time is in files, without waiting for the end.
func TestFindingsAreSaved(t *testing.T) {
	one := &diff.Transcript{Name: "one", Steps: []diff.Step{{Do: diff.Connect}}}
	statistics := diff.Finding{
		Transcript:  &diff.Transcript{Name: "statistics"},
		Differences: []diff.Difference{{What: "statistics", Reference: "2 misses", Ours: "1 miss"}},
		Together:    []*diff.Transcript{one, one},
	}
	answer := diff.Finding{Transcript: one, Differences: []diff.Difference{{Step: 1, What: "answer", Reference: "yes", Ours: "no"}}}
	for _, test := range []struct {
		name    string
		stage   diff.Stage
		finding diff.Finding
		dir     string // below that of the findings
		told    string
		texts   []string
	}{
		{"statistics", diff.Seen, statistics, "", "statistics: seen once: statistics, after 2 transcripts together\n", []string{"- 2 misses", "+ 1 miss", "1 connect"}},
		{"answer", diff.Confirmed, answer, "", "one: confirmed: answer in step 1\n", []string{"- yes", "+ no"}},
		{"not reproduced", diff.NotReproduced, answer, notReproduced, "one: not reproduced: answer in step 1\n", []string{"- yes", "+ no"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var told bytes.Buffer
			f := findings{dir: filepath.Join(t.TempDir(), "found"), told: &told, clear: func() {}}
			if f.found(test.stage, test.finding); f.err != nil {
				t.Fatal(f.err)
			}
			if !strings.HasPrefix(told.String(), test.told) {
				t.Errorf("told %q, want %q", told.String(), test.told)
			}
			name := filepath.Join(f.dir, test.dir, test.finding.Transcript.Name)
			text, err := os.ReadFile(name + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range test.texts {
				if !strings.Contains(string(text), want) {
					t.Errorf("%q is not in\n%s", want, text)
				}
			}
			list, err := diff.ReadFile(name + ".json")
			if want := max(1, len(test.finding.Together)); err != nil || len(list) != want {
				t.Errorf("%d transcripts, want %d; %v", len(list), want, err)
			}
		})
	}
}
