package exporter

import (
	"context"
	"os/exec"
	"strings"
	"testing"

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
