package main

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"scache/compat/testbed"
)

// elsewhere are the pages that ours refer to; where they are not installed is no
// mistake of ours.
var elsewhere = []string{"master 5", "master 8", "postconf 1", "postconf 5", "postfix 1", "postlogd 8",
	"scache 8", "scachectl 1", "scached 8", "scached.cf 5", "scachetap 8", "smtp 8", "syslogd 8"}

func TestManualPages(t *testing.T) {
	mandoc, err := exec.LookPath("mandoc")
	if err != nil {
		testbed.SkipLocally(t, err.Error())
	}
	dir := t.TempDir()
	if err := generate(newRoot(), dir); err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob(dir + "/man/man?/*")
	if err != nil || len(pages) != 4 {
		t.Fatalf("pages %q, %v", pages, err)
	}
	for _, page := range pages {
		// The exit status is not looked at: it tells of pages elsewhere, too.
		out, _ := exec.Command(mandoc, "-T", "lint", page).Output()
		for line := range strings.Lines(string(out)) {
			_, reference, ok := strings.Cut(line, "referenced manual not found: Xr ")
			reference, _, _ = strings.Cut(reference, " (")
			if !ok || !slices.Contains(elsewhere, strings.TrimSpace(reference)) {
				t.Error(line)
			}
		}
		text, err := exec.Command(mandoc, "-T", "ascii", page).Output()
		if err != nil || len(text) < 2000 {
			t.Errorf("%s: %d bytes, %v", page, len(text), err)
		}
	}
}
