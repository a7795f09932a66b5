package diff

import (
	"flag"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var (
	update   = flag.Bool("update", false, "record what the reference does in the project's own transcripts")
	recorded = flag.String("reference", "", "record another `program` than the installed one: what is there of its version")
	speaks   = flag.String("protocol", "", "the `dialect` of that program, if it does not say its version")
)

const transcriptDir = "../../testdata/transcripts"

// handedDown tells whether a file was recorded with another version of the
// reference. Those are never rewritten.
func handedDown(path string) bool { return strings.HasPrefix(filepath.Base(path), "wire-") }

func checkFixed(t *testing.T, p Programs) {
	t.Helper()
	list, err := BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	report, err := Run(t.Context(), Options{Programs: p, Transcripts: list})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := report.WriteText(&text, false); err != nil {
		t.Fatal(err)
	}
	t.Log(text.String())
	if !report.Clean() || report.Played != len(list) {
		t.Errorf("%d of %d transcripts played, %d with unnamed differences", report.Played, len(list), len(report.Unnamed()))
	}
	// What is promised is also kept.
	for name := range Named {
		if report.Names()[name] == 0 {
			t.Errorf("no transcript shows %q", name)
		}
	}
}

// Ours does what is on record.
func TestOnRecord(t *testing.T) {
	if *update {
		record(t)
		return
	}
	checkFixed(t, Programs{Ours: ours(t)})
}

// Ours does what the installed reference does, and both do what is on record.
func TestSideBySide(t *testing.T) {
	checkFixed(t, Programs{Reference: reference(t), Ours: ours(t)})
}

// record plays the project's own transcripts and writes down what came of it.
func record(t *testing.T) {
	t.Helper()
	p := Programs{Reference: *recorded, Dialect: *speaks, Ours: ours(t)}
	if p.Reference == "" {
		p.Reference = reference(t)
	}
	if err := p.examine(t.Context()); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(transcriptDir + "/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range slices.DeleteFunc(files, handedDown) {
		list, err := ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, transcript := range list {
			if !p.suits(transcript.Setup) || p.version != transcript.Recorded.Version {
				continue
			}
			c, err := p.freshly(t.Context(), transcript, timesAlone)
			if err != nil {
				t.Fatalf("%s: %v", transcript.Name, err)
			}
			transcript.Recorded = c.reference // as it was, if the reference does not speak the dialect
			if transcript.Better != "" {
				transcript.Ours = c.ours
			}
		}
		if err := WriteFile(file, list); err != nil {
			t.Fatal(err)
		}
	}
}
