package torture

import (
	"strings"
	"testing"
	"time"
)

// A session that its server has closed is not handed out: what the cache finds
// can be used. The reference finds sessions that cannot; smtp(8) notices, after
// a round trip, and has had its lookup by destination.
func TestStaleSessions(t *testing.T) {
	t.Parallel()
	const messages = 8
	for _, test := range []struct{ name, program string }{{"reference", ""}, {"ours", ours(t)}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			reference(t)
			m, err := StaleSessions(t.Context(), test.program, messages)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d messages over %d connections, %d sessions found, %d used, slowest message %v, lost connections %q",
				m.Delivered, m.Connections, m.Hits, m.Reused, m.Slowest, m.Lost)
			if m.Delivered != messages || m.Unsent > 0 {
				t.Errorf("%d messages delivered, %d put off", m.Delivered, m.Unsent)
			}
			if m.Reused != messages/2 {
				t.Errorf("%d sessions were used again, not %d: the server closes them at the wrong time", m.Reused, messages/2)
			}
			stale := m.Hits - m.Reused
			if test.program == "" {
				if stale == 0 {
					t.Error("the reference has found no session that was closed: this proves nothing")
				}
				return
			}
			if stale != 0 || len(m.Lost) > 0 {
				t.Errorf("%d sessions were found that could not be used; lost connections: %q", stale, m.Lost)
			}
			if m.Slowest > 2*time.Second {
				t.Errorf("a message took %v", m.Slowest)
			}
		})
	}
}

func TestKilledMail(t *testing.T) {
	t.Parallel()
	program := ours(t)
	reference(t)
	r, kills, err := KilledMail(t.Context(), program, 600)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d messages in %v, the daemon was killed %d times", r.Delivered, r.Took.Round(time.Millisecond), kills)
	if r.Delivered != 600 || len(r.Lost)+len(r.Duplicates)+len(r.Unexpected) > 0 {
		t.Errorf("lost %q, more than once %q, unexpected %q", r.Lost, r.Duplicates, r.Unexpected)
	}
	if kills < 3 {
		t.Errorf("killed %d times", kills)
	}
	for _, line := range r.Lines {
		if strings.Contains(line.Text, "throttling") {
			t.Errorf("log: %s", line.Raw)
		}
	}
}
