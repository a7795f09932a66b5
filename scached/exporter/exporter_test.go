package exporter

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scache/scached/control"
)

// Alerts fire when something is wrong, and do not otherwise.
func TestAlerts(t *testing.T) {
	out, err := exec.Command("promtool", "test", "rules", "alerts_test.yml").CombinedOutput()
	if err != nil {
		t.Errorf("promtool test rules: %v\n%s", err, out)
	}
}

// A cache that does not answer is a metric, too.
func TestDown(t *testing.T) {
	list, err := newRegistry(func() (*control.Status, error) { return nil, control.ErrNotRunning }).Gather()
	if err == nil || !strings.Contains(err.Error(), control.ErrNotRunning.Error()) {
		t.Errorf("gathered with %v", err)
	}
	if len(list) != 1 || list[0].GetName() != "scached_up" || list[0].GetMetric()[0].GetGauge().GetValue() != 0 {
		t.Errorf("gathered %v", list)
	}
	var out strings.Builder
	if err := Write(context.Background(), &out, &control.Client{Path: t.TempDir() + "/none"}); err == nil || out.Len() > 0 {
		t.Errorf("wrote %q, %v", &out, err)
	}
}

// The table in the README has the names of all metrics, and no others.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "| metric | labels |\n| --- | --- |\n")
	if !found {
		t.Fatal("the README has no table of metrics")
	}
	var told, known []string
	for line := range strings.Lines(rest) {
		if !strings.HasPrefix(line, "|") {
			break
		}
		for i, word := range strings.Split(strings.Split(line, "|")[1], "`") {
			if i%2 == 1 {
				told = append(told, word)
			}
		}
	}
	for name := range families {
		known = append(known, name)
	}
	known = append(known, ages, "up", "build_info")
	slices.Sort(told)
	slices.Sort(known)
	if diff := cmp.Diff(known, told); diff != "" {
		t.Errorf("metrics (-code +README):\n%s", diff)
	}
}
