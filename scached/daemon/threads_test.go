package daemon

import (
	"io"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestNoThreadsToBeHad starts a process whose user may not have another thread,
// from the moment on when it is that user's.
func TestNoThreadsToBeHad(t *testing.T) {
	requireRoot(t)
	w := newWorld(t, "mail_owner = "+ownerName(t)+"\n")
	cmd := w.command(t, probePath(t), []string{"-l", "-t", "unix", "-u", "-c", "block", "notify", "info=one"}, []string{"GENERATION=0"})
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	// A child inherits the limit. It does not apply to root, so to nobody else here.
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NPROC, &before); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NPROC, &unix.Rlimit{Cur: 1, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	err := cmd.Start()
	if err := unix.Setrlimit(unix.RLIMIT_NPROC, &before); err != nil {
		t.Error(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v; the log is %q; it said %q and %.2000s", err, w.log.all(), stdout.String(), stderr.String())
	}
	if got := stdout.String(); got != "blocked 8\n<nil> <nil>\n" {
		t.Errorf("it said %q", got)
	}
	if _, err := io.ReadFull(cmd.status, make([]byte, 24)); err != nil {
		t.Error(err)
	}
	eventually(t, "the log", func() bool { return len(w.log.all()) == 1 })
}
