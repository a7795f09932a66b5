package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scache/compat/diff"
)

// The committed page is the one that the committed results make, and every
// difference that is there on purpose is on it.
func TestConformancePage(t *testing.T) {
	want, err := conformancePage("../../testdata/conformance")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../compat/CONFORMANCE.md")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("compat/CONFORMANCE.md is not what \"make conformance\" makes (-made +committed):\n%s", d)
	}
	if len(diff.Named) == 0 {
		t.Fatal("no difference has a name")
	}
	for name, reason := range diff.Named {
		if row := "| " + name + " | " + reason + " |\n"; !strings.Contains(string(got), row) {
			t.Errorf("the difference %q is not on the page", name)
		}
	}
}
