package fuzz

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	good   = "func FuzzGood(f *testing.F) {\n\tf.Add(1)\n\tf.Fuzz(func(t *testing.T, n int) {})\n}\n"
	bad    = "func FuzzBad(f *testing.F) {\n\tf.Add(1)\n\tf.Fuzz(func(t *testing.T, n int) {\n\t\tif n != 1 {\n\t\t\tt.Fatal(\"it is not one\")\n\t\t}\n\t})\n}\n"
	broken = "func FuzzBroken(f *testing.F) { f.Fatal(\"no daemon\") }\n"
)

// module makes a module with these targets in two packages, and goes there.
func module(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":             "module toy\n\ngo 1.26\n",
		"toy.go":             "package toy\n",
		"toy_test.go":        "package toy\n\nimport \"testing\"\n\n" + good + "\n" + bad,
		"broken/toy.go":      "package broken\n",
		"broken/toy_test.go": "package broken\n\nimport \"testing\"\n\n" + broken,
		"none/toy.go":        "package none\n",
	} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
}

func TestRun(t *testing.T) {
	module(t)
	targets, err := Targets(t.Context(), "./...")
	if err != nil {
		t.Fatal(err)
	}
	want := []Target{{"toy", "FuzzGood"}, {"toy", "FuzzBad"}, {"toy/broken", "FuzzBroken"}}
	if d := cmp.Diff(want, targets); d != "" {
		t.Fatalf("-want +listed:\n%s", d)
	}
	progress := 0
	outcome, err := targets[0].Run(t.Context(), time.Second, func(Outcome) { progress++ })
	if err != nil || outcome.Failure != "" || outcome.Inputs == 0 || outcome.Took == 0 || progress == 0 {
		t.Errorf("a good target: %+v, %v, %d times progress", outcome, err, progress)
	}
	outcome, err = targets[1].Run(t.Context(), time.Minute, nil)
	if err != nil || !strings.Contains(outcome.Failure, "it is not one") || outcome.Inputs == 0 {
		t.Errorf("one that fails: %+v, %v", outcome, err)
	}
	outcome, err = targets[2].Run(t.Context(), time.Second, nil)
	if err != nil || !strings.Contains(outcome.Failure, "no daemon") || outcome.Inputs != 0 {
		t.Errorf("one that cannot begin: %+v, %v", outcome, err)
	}
	if outcome, err = (Target{"toy/none", "FuzzNone"}).Run(t.Context(), time.Second, nil); err == nil {
		t.Errorf("one that is not there: %+v", outcome)
	}
}

// What was done until an interruption is not lost.
func TestInterrupted(t *testing.T) {
	module(t)
	ctx, cancel := context.WithCancel(t.Context())
	outcome, err := Target{"toy", "FuzzGood"}.Run(ctx, time.Minute, func(o Outcome) {
		if o.Inputs > 0 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || outcome.Inputs == 0 {
		t.Errorf("%+v, %v", outcome, err)
	}
}
