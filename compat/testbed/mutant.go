package testbed

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"scache/compat/conformance"
	"scache/scached/version"
)

var mutants = flag.String("mutants", "", "write which mistakes were found, and how, for the conformance page into this `file`")

// Overlay is the flag of "go build" that makes a mistake in the product: it takes
// another file, with text in the place of other text, instead of one. The product's
// own source, whose files are named from the top of the module, stays as it is.
func Overlay(t testing.TB, file, old, new string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../..", file))
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), old); n != 1 {
		t.Fatalf("%s holds what is to be changed %d times; keep the mistake up to date:\n%s", file, n, old)
	}
	dir := t.TempDir()
	changed, overlay := filepath.Join(dir, "changed.go"), filepath.Join(dir, "overlay.json")
	list, err := json.Marshal(map[string]any{"Replace": map[string]string{path: changed}})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{changed: []byte(strings.Replace(string(source), old, new, 1)), overlay: list} {
		if err := os.WriteFile(name, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return "-overlay=" + overlay
}

// Mutants collects what came of mistakes in the product that were made one at a
// time, each in a test of its own, and leaves it for the conformance page, if the
// flag -mutants asks for that.
type Mutants struct {
	mu    sync.Mutex
	parts []conformance.Part
}

// NewMutants is called before the tests of mutants with these names. The result, of
// that kind and subject, is written when t and all of them have ended.
func NewMutants(t *testing.T, kind, subject string, names []string) *Mutants {
	m := new(Mutants)
	for _, name := range names {
		m.parts = append(m.parts, conformance.Part{Name: name})
	}
	if *mutants == "" {
		return m
	}
	t.Cleanup(func() {
		found := int64(0)
		for _, p := range m.parts {
			if p.Passed {
				found++
			}
		}
		r := conformance.Result{Kind: kind, Subject: subject, Commit: version.String(), Date: conformance.Today(),
			Counts: map[string]int64{"mistakes": int64(len(names)), "of them found": found}, Parts: m.parts}
		if err := r.WriteFile(*mutants); err != nil {
			t.Error(err)
		}
	})
	return m
}

// Found notes how a mistake was found.
func (m *Mutants) Found(name, how string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.parts, func(p conformance.Part) bool { return p.Name == name })
	m.parts[i].Passed, m.parts[i].Note = true, how
}
