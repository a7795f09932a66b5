package script

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the .ref files of the project's own scenarios")

const (
	scenarioDir = "../../testdata/scenarios"
	sharedDir   = "../../../shared"
)

// runFile returns what the script in a file prints.
func runFile(t *testing.T, path string, o Options) string {
	t.Helper()
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var out bytes.Buffer
	o.Out = &out
	o.Name = path
	err = Run(in, o)
	var got Errors
	if !errors.As(err, &got) && err != nil {
		t.Errorf("%s: %v", path, err)
	}
	// The errors that are returned are those that are printed.
	if diff := cmp.Diff(Expected(path, out.String()), got); diff != "" {
		t.Errorf("%s: errors (-printed +returned):\n%s", path, diff)
	}
	return out.String()
}

func compareFile(t *testing.T, got, path string) {
	t.Helper()
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("not as in %s (-want +got):\n%s", path, diff)
	}
}

// scenarios returns the .in files of a directory.
func scenarios(t *testing.T, dir string, atLeast int) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.in"))
	if err != nil || len(files) < atLeast {
		t.Fatalf("%d scenarios in %s, want %d or more (%v)", len(files), dir, atLeast, err)
	}
	return files
}

// r*.ref is the reference's output and is never rewritten.
func isReference(path string) bool { return strings.HasPrefix(filepath.Base(path), "r0") }

func TestScenarios(t *testing.T) {
	for _, in := range scenarios(t, scenarioDir, 30) {
		t.Run(strings.TrimSuffix(filepath.Base(in), ".in"), func(t *testing.T) {
			got := runFile(t, in, Options{})
			ref := strings.TrimSuffix(in, ".in") + ".ref"
			if *update && !isReference(in) {
				if err := os.WriteFile(ref, []byte(got), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			compareFile(t, got, ref)
		})
	}
}

// The files that the project does not hold copies of.
func TestSharedScenarios(t *testing.T) {
	if _, err := os.Stat(sharedDir); err != nil {
		t.Logf("NOT RUN: the reference's own scenarios, they are not there: %v", err)
		return
	}
	for _, in := range scenarios(t, sharedDir+"/scenarios", 30) {
		compareFile(t, runFile(t, in, Options{}), strings.TrimSuffix(in, ".in")+".ref")
	}
	upstream := sharedDir + "/upstream/scache_multi"
	compareFile(t, runFile(t, upstream+".in", Options{}), upstream+".ref")
	compareFile(t, runFile(t, upstream+".in", Options{AlwaysVerbose: true}), upstream+"-20040720.ref")
}
