package postfix

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scache/compat/master"
)

func TestTally(t *testing.T) {
	text := strings.Join([]string{
		"Nov 21 19:28:28 m postfix/smtp[1]: A: to=<b>, relay=r, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 Ok)",
		"Nov 21 19:28:28 m postfix/smtp[1]: A: to=<b>, relay=r, conn_use=2, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 Ok)",
		"Nov 21 19:28:28 m postfix/smtp[1]: A: to=<b>, relay=none, delay=0, delays=0/0/0/0, dsn=4.0.0, status=deferred (x)",
		"Nov 21 19:28:28 m postfix/smtp[1]: A: to=<b>, relay=none, delay=0, delays=0/0/0/0, dsn=5.0.0, status=bounced (x)",
		"Nov 21 19:28:28 m postfix/smtp[1]: warning: problem talking to service private/scache: Broken pipe",
		"Nov 21 19:28:28 m postfix/smtp[1]: warning: disabling connection caching",
		"Nov 21 19:28:28 m postfix/anvil[2]: statistics: max connection rate 1/60s",
		"Nov 21 19:28:28 m postfix/scached[3]: statistics: start interval Nov 21 19:28:28",
		"Nov 21 19:28:28 m postfix/scached[3]: fatal: x",
	}, "\n") + "\n"
	file := filepath.Join(t.TempDir(), "maillog")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	log := master.NewLog()
	master.TailFile(file, log).Stop()
	lines := log.Lines()
	want := Tally{
		Sent:       2,
		Reused:     1,
		Unsent:     2,
		Statistics: []string{"start interval Nov 21 19:28:28"},
		Problems:   lines[4:6],
		Warnings:   []master.LogLine{lines[4], lines[5], lines[8]},
	}
	got := TallyOf(lines, "scached")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tally (-want +got):\n%s", diff)
	}
	if share := got.ReusedShare(); share != 0.5 {
		t.Errorf("share of reused deliveries %v, want 0.5", share)
	}
}
