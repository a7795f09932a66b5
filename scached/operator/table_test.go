package operator

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"scache/scached/control"
)

func TestWriteSessions(t *testing.T) {
	sessions := []Session{
		newSession(control.Entry{Transport: "smtp", Label: "smtp\n192.0.2.1\n25\n2\n", Property: "tls_level=2\nreuse_count=7\nendpoint_features=7\n\n",
			Age: 90 * time.Second, Left: time.Second, Alive: true}, map[string]string{"smtp\n192.0.2.1\n25\n2\n": "example.com"}),
		newSession(control.Entry{Transport: "relay", Label: "smtp\na\x1b[2Jb.example\n2001:db8::1\n587\n0\n"}, nil),
		newSession(control.Entry{Transport: "odd", Label: "what\n\x00ever"}, nil),
		newSession(control.Entry{Transport: "smtp", Label: "smtp\n漢字漢字.example\n192.0.2.2\n25\n0\n"}, nil),
		newSession(control.Entry{Transport: "smtp", Label: "smtp\n\u202ereversed\x9b5m.example\n192.0.2.3\n25\n0\n"}, nil),
	}
	var out strings.Builder
	if err := WriteSessions(&out, sessions, 0); err != nil {
		t.Fatal(err)
	}
	want := `TRANSPORT      DESTINATION                   ENDPOINT           AGE  LEFT  USES  TLS      ALIVE  FEATURES
smtp           example.com                   192.0.2.1:25       90s    1s     7  encrypt  yes    ESMTP 8BITMIME PIPELINING
relay in smtp  a\x1b[2Jb.example             [2001:db8::1]:587   0s    0s     0  none     no
odd                                          what\n\x00ever      0s    0s     0           no
smtp           漢字漢字.example              192.0.2.2:25        0s    0s     0  none     no
smtp           \u202ereversed\x9b5m.example  192.0.2.3:25        0s    0s     0  none     no
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	out.Reset()
	for _, width := range []int{80, 75} {
		out.Reset()
		WriteSessions(&out, sessions, width)
		for line := range strings.Lines(out.String()) {
			if n := ansi.StringWidth(strings.TrimSuffix(line, "\n")); n > width {
				t.Errorf("%d wide, and not %d: %s", n, width, line)
			}
		}
	}
}

func TestCounts(t *testing.T) {
	if got := counts(map[string]uint64{"expired": 1200, "dead": 3, "shutdown": 0, "limit": 3}); got != "1,200 expired, 3 dead, 3 limit" {
		t.Error(got)
	}
	if got := counts(nil); got != "none" {
		t.Error(got)
	}
	if got := percent(2, 3); got != "66%" {
		t.Error(got)
	}
}

// QUIT is told of where it is on, that is, where there is something to tell.
func TestWriteStatusQuits(t *testing.T) {
	s := &control.Status{Version: "1", Dialect: "3.6", Metrics: []control.Metric{
		{Name: "quits_total", Labels: map[string]string{"result": "answered"}, Value: 1200},
		{Name: "quits_total", Labels: map[string]string{"result": "skipped"}, Value: 3},
		{Name: "lingering", Value: 2},
	}}
	var out strings.Builder
	if err := WriteStatus(&out, s, "/socket", time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	if want := "\nquits       1,200 answered, 3 skipped; 2 wait for the answer\n"; !strings.Contains(out.String(), want) {
		t.Errorf("no %q in:\n%s", want, &out)
	}
	out.Reset()
	s.Metrics = nil
	WriteStatus(&out, s, "/socket", time.Unix(0, 0))
	if strings.Contains(out.String(), "quits") {
		t.Errorf("quits in:\n%s", &out)
	}
}
