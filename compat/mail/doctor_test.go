package mail

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"scache/attrproto/service"
	"scache/compat/postfix"
	"scache/compat/testbed"
	"scache/scached/doctor"
)

// What the doctor says about a Postfix is what becomes of its mail.
func TestDoctor(t *testing.T) {
	always := []string{"smtp_connection_cache_on_demand = no", "smtp_connection_cache_destinations = static:all"}
	always = always[:len(always):len(always)]
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
		{name: "TLS policy", main: append(always, "smtp_tls_policy_maps = static:encrypt"), tls: true,
			wrong: []string{"connections with TLS are not reused, and TLS is used always"}},
		{name: "TLS policy that reuses", main: append(always, "smtp_tls_policy_maps = static:{encrypt connection_reuse=yes}"), tls: true, reused: true,
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
					facts, err := doctor.Gather(ctx, p.ConfigDir(), sink.NextHop(), "")
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

// The way that the doctor finds for mail is the one that trivial-rewrite(8) finds.
func TestDoctorRoute(t *testing.T) {
	t.Parallel()
	testbed.Reference(t)
	table := func(name string, lines ...string) string {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return "texthash:" + file
	}
	p, err := postfix.Start(t.Context(), postfix.Options{Cache: testbed.Scached(t), Main: []string{
		"mydestination = here.example", "relay_domains = relay.example", "virtual_mailbox_domains = v.example",
		"virtual_transport = lmtp:unix:private/lmtp", "local_transport = local:$myhostname", "relayhost = [192.0.2.2]:587",
		"transport_maps = " + table("transport", "apart.example slow:", ".below.example slow:[192.0.2.9]:26",
			"user@example.net :[192.0.2.8]", "gone.example error:no such domain", "same.example :", "slow.relay.example slow:"),
		"sender_dependent_relayhost_maps = " + table("senders", "@origin.example [192.0.2.7]:587", "boss@origin.example DUNNO"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	facts, err := doctor.Gather(t.Context(), p.ConfigDir(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	rewrite := service.Postfix{QueueDirectory: p.QueueDir()}
	for _, sender := range []string{"me@other.example", "me@origin.example", "boss@origin.example"} {
		addresses := []string{"user@example.com", "user@here.example", "user@a.relay.example", "user@v.example", "user@apart.example",
			"user@b.apart.example", "user@a.b.below.example", "user@example.net", "user@gone.example", "user@same.example", "user@slow.relay.example"}
		if sender != "me@other.example" {
			addresses = []string{"user@example.com", "user@a.relay.example", "user@apart.example"}
		}
		for _, address := range addresses {
			want, err := rewrite.Resolve(sender, address)
			if err != nil {
				t.Fatal(err)
			}
			facts.Asked, facts.Sender = address, sender
			line := fmt.Sprintf("mail for %s goes by transport %s to %s", address, want.Transport, want.Nexthop)
			if !slices.ContainsFunc(doctor.Examine(facts), func(f doctor.Finding) bool { return f.What == line || strings.HasPrefix(f.What, line+", which") }) {
				t.Errorf("from %s: not said: %s; but %+v", sender, line, doctor.Examine(facts))
			}
		}
	}
}
