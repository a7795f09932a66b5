package mail

import (
	"context"
	"strings"
	"testing"

	"scache/compat/postfix"
	"scache/compat/testbed"
	"scache/scached/doctor"
)

// What the doctor says about a Postfix is what becomes of its mail.
func TestDoctor(t *testing.T) {
	always := []string{"smtp_connection_cache_on_demand = no", "smtp_connection_cache_destinations = static:all"}
	for _, test := range []struct {
		name   string
		main   []string
		cache  []string
		master []string
		tls    bool
		reused bool
		wrong  []string // what it says, or how that begins
		notes  []string // some of what it says
	}{
		{name: "all is well", main: always, reused: true},
		{name: "not listed", main: []string{"smtp_connection_cache_on_demand = no", "smtp_connection_cache_destinations = dest.example"},
			wrong: []string{"connections to 127.0.0.1 are never cached: it is not listed"},
			notes: []string{"0 sessions can be found for 127.0.0.1 now", "nobody has asked for a session"}},
		{name: "TLS", main: append(always, "smtp_tls_security_level = encrypt"), tls: true,
			wrong: []string{"connections with TLS are not reused, and TLS is used always"},
			notes: []string{"10 lookups"}},
		{name: "TLS reuse", main: append(always, "smtp_tls_security_level = encrypt", "smtp_tls_connection_reuse = yes"), tls: true, reused: true,
			master: []string{"tlsproxy unix - - n - 0 tlsproxy"}},
		{name: "transports", main: always, cache: []string{"-o", "scached_name_spaces=other=smtp"}, reused: true,
			master: []string{"other unix - - y - - smtp -o syslog_name=other -o { smtp_helo_name = other.example }"},
			wrong:  []string{`scached_name_spaces lets other and smtp share sessions, but they differ in smtp_helo_name: "other.example" and `}},
		{name: "unknown parameter", main: append(always, "scached_no_such = 1"), reused: true,
			wrong: []string{"there is no parameter scached_no_such"}},
		{name: "short", main: append(always, "smtp_connection_cache_time_limit = 1h"), reused: true,
			notes: []string{"sessions are kept for 2s, although transport smtp asks for 1h"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			testbed.Reference(t)
			var findings []doctor.Finding
			result, err := Delivery{
				Postfix: postfix.Options{Cache: testbed.Scached(t), CacheArgs: test.cache, Main: test.main, Master: test.master},
				Sink:    SinkOptions{TLS: test.tls},
				Mail:    Injection{Messages: 10, Senders: 1},
				After: func(ctx context.Context, p *postfix.Instance, sink *Sink) error {
					facts, err := doctor.Gather(ctx, p.ConfigDir(), sink.NextHop())
					if err == nil {
						findings = doctor.Examine(facts)
					}
					return err
				},
			}.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if reused := result.Reused > 0; reused != test.reused {
				t.Errorf("%d deliveries were over a connection used before", result.Reused)
			}
			var wrong, notes []string
			for _, f := range findings {
				if f.Wrong {
					wrong = append(wrong, f.What)
				} else {
					notes = append(notes, f.What)
				}
			}
			if len(wrong) != len(test.wrong) {
				t.Errorf("wrong is said to be %q", wrong)
			}
			for _, want := range test.wrong {
				if !strings.Contains(strings.Join(wrong, "\n"), want) {
					t.Errorf("not said to be wrong: %q, but %q", want, wrong)
				}
			}
			for _, want := range test.notes {
				if !strings.Contains(strings.Join(notes, "\n"), want) {
					t.Errorf("not said: %q, but %q", want, notes)
				}
			}
		})
	}
}
