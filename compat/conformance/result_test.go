package conformance

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWriteAndRead(t *testing.T) {
	dir := t.TempDir()
	want := []Result{
		{Kind: "random", Subject: "random transcripts", Commit: "abc", Reference: "3.7.11", Date: "2026-01-02", Seconds: 1.5, Seed: 7,
			Counts: map[string]int64{"transcripts": 10}, Named: map[string]int64{"reason": 2},
			Parts: []Part{{Name: "0 to 9", Commit: "abd", Passed: true, Counts: map[string]int64{"transcripts": 10}, Note: "<quickly>"}},
			Notes: []string{"It was <busy> & cold."}},
		{Kind: "fuzzing", Subject: "all targets", Commit: "abc", Date: "2026-01-02", Parts: []Part{{Name: "FuzzX"}}},
	}
	for i, name := range []string{"b.json", "a.json"} { // the order of the page is not that of the names
		if err := want[i].WriteFile(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Read(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-written +read:\n%s", d)
	}
}

func TestIncompleteResults(t *testing.T) {
	good := Result{Kind: "random", Subject: "s", Commit: "c", Date: "2026-01-02", Counts: map[string]int64{"transcripts": 1}}
	for _, test := range []struct {
		name  string
		spoil func(*Result)
	}{
		{"kind", func(r *Result) { r.Kind = "magic" }},
		{"subject", func(r *Result) { r.Subject = "" }},
		{"commit", func(r *Result) { r.Commit = "" }},
		{"date", func(r *Result) { r.Date = "yesterday" }},
		{"nothing", func(r *Result) { r.Counts = nil }},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := good
			test.spoil(&r)
			if err := r.WriteFile(filepath.Join(t.TempDir(), "r.json")); err == nil {
				t.Error("it was written")
			}
		})
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "r.json"), []byte(`{"kind": "random", "subjekt": "s"}`), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(os.DirFS(dir)); err == nil {
		t.Error("a result with unknown parts was read")
	}
}
