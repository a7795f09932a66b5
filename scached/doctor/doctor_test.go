package doctor

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"scache/scached/control"
	"scache/scached/daemon"
	"scache/scached/install"
)

// healthy are facts about a Postfix in which there is nothing to find.
func healthy() *Facts {
	values := map[string]string{
		"smtp_connection_cache_on_demand": "yes", "smtp_connection_cache_destinations": "example.com",
		"smtp_connection_cache_time_limit": "2s", "smtp_connection_reuse_time_limit": "300s", "smtp_connection_reuse_count_limit": "0",
		"default_transport": "smtp", "relay_transport": "relay", "local_transport": "local:here", "virtual_transport": "lmtp:unix:private/lmtp",
		"mydestination": "here.example", "relay_domains": "relay.example", "parent_domain_matches_subdomains": "relay_domains",
		"smtp_tls_connection_reuse": "no", "smtp_tls_security_level": "", "lmtp_connection_cache_on_demand": "no",
	}
	return &Facts{
		Report: &install.Report{
			ConfigDir: "/etc/postfix", QueueDir: "/queue", Version: "3.7.11", MasterCF: "/etc/postfix/master.cf",
			Service: "scache", Command: "scached", Program: "/sbin/scached", Dialect: "3.6", Spoken: "3.6", SpokenFrom: daemon.FromDefault,
			Config: &daemon.Configuration{Values: []daemon.Value{
				{Name: "connection_cache_ttl_limit", Text: "2s", Source: daemon.FromDefault},
				{Name: "scached_control", Text: "yes", Source: daemon.FromDefault},
			}},
			Main: map[string]string{}, Values: values, Services: []string{"smtp", "scache", "lmtp", "tlsproxy"},
			Transports: []install.Transport{{Name: "smtp", Command: "smtp"}, {Name: "lmtp", Command: "lmtp"}},
		},
		LookUp: func(table, key string) (string, bool, error) {
			value, found := tables[table][key]
			if tables[table] == nil {
				return "", false, errors.New("no such table")
			}
			return value, found, nil
		},
		Listed: func(list, name string) (bool, error) {
			return listed(list, name, func(string, string) (bool, error) { return false, errors.New("no such table") })
		},
		Status: &control.Status{Dialect: "3.6", Start: time.Unix(0, 0), Metrics: []control.Metric{
			metric("lookups_total", 5, "kind", "destination", "result", "hit"),
			metric("saves_total", 6, "kind", "session"),
		}},
	}
}

// tables are those of the tests.
var tables = map[string]map[string]string{
	"hash:transport": {"apart.example": "slow:", ".below.example": "slow:[192.0.2.9]:26", "user@example.net": ":[192.0.2.8]", "gone.example": "error:no such domain",
		"same.example": ":"},
	"hash:senders":  {"@origin.example": "[192.0.2.7]:587", "boss@origin.example": "DUNNO"},
	"hash:ways":     {"@origin.example": "slow:"},
	"hash:policy":   {"[192.0.2.1]:587": "secure match=nexthop", ".example.net": "none", "example.com": "encrypt, connection_reuse=yes"},
	"hash:password": {"192.0.2.1": "user:secret", "me@origin.example": "me:secret"},
}

func metric(name string, value uint64, labels ...string) control.Metric {
	m := control.Metric{Name: name, Value: value, Labels: map[string]string{}}
	for i := 0; i < len(labels); i += 2 {
		m.Labels[labels[i]] = labels[i+1]
	}
	return m
}

// told are findings as a test writes them.
func told(findings []Finding) (lines []string) {
	for _, f := range findings {
		grade := "note"
		if f.Wrong {
			grade = "wrong"
		}
		lines = append(lines, fmt.Sprintf("%s: %s [%s]", grade, f.What, f.Where))
	}
	return lines
}

func TestExamine(t *testing.T) {
	set := func(f *Facts, name, value string) { f.Main[name], f.Values[name] = value, value }
	for _, test := range []struct {
		name string
		make func(f *Facts)
		want []string
	}{
		{"healthy", func(*Facts) {}, nil},
		{"no caching", func(f *Facts) {
			set(f, "smtp_connection_cache_on_demand", "no")
			set(f, "smtp_connection_cache_destinations", "")
		}, []string{"wrong: connections are never cached: neither on demand, nor for any destination " +
			"[smtp_connection_cache_on_demand in /etc/postfix/main.cf; smtp_connection_cache_destinations in /etc/postfix/main.cf]"}},
		{"on demand, no backlog", func(f *Facts) { f.Values["smtp_connection_cache_destinations"] = "" }, []string{
			"note: connections are cached on demand only: while more mail for a destination waits than is being delivered to it; " +
				"0 messages are active [smtp_connection_cache_destinations, by default]"}},
		{"asked, listed", func(f *Facts) { f.Asked = "[Example.com]:587" }, []string{
			"note: 0 sessions can be found for example.com now [what the daemon holds now]"}},
		{"asked, not listed, on demand", func(f *Facts) { f.Asked, f.Status, f.Silent = "example.net", nil, control.ErrDenied }, []string{
			"note: mail for example.net goes by transport smtp to example.net [default_transport, by default]",
			"note: example.net is not listed: connections to it are cached only while more mail for it waits than is being delivered; " +
				"0 messages are active [smtp_connection_cache_destinations, by default]",
			"note: the daemon was not asked: permission denied: only root and mail_owner may ask [/queue/private/scache]"}},
		{"asked, never", func(f *Facts) {
			set(f, "smtp_connection_cache_on_demand", "no")
			set(f, "smtp_connection_cache_destinations", "!example.org, example.com")
			f.Asked = "example.org:25"
			f.Held = []Held{{"smtp", "example.org", false, 3}}
		}, []string{"wrong: connections to example.org are never cached: it is not listed [smtp_connection_cache_destinations in /etc/postfix/main.cf]",
			"note: 3 sessions can be found for example.org now [what the daemon holds now]"}},
		{"asked, table is broken", func(f *Facts) {
			f.Asked, f.Status, f.Silent = "a.example", nil, control.ErrDenied
			set(f, "smtp_connection_cache_destinations", "hash:/etc/x")
		}, []string{"note: mail for a.example goes by transport smtp to a.example [default_transport, by default]",
			"wrong: it cannot be told whether a.example is listed: no such table [smtp_connection_cache_destinations in /etc/postfix/main.cf]",
			"note: the daemon was not asked: permission denied: only root and mail_owner may ask [/queue/private/scache]"}},
		{"TLS policy of a nexthop", func(f *Facts) {
			f.Asked = "[192.0.2.1]:587"
			set(f, "smtp_tls_policy_maps", "hash:policy")
			set(f, "smtp_connection_cache_destinations", "192.0.2.1")
		}, []string{`wrong: connections with TLS are not reused, and TLS is used always ` +
			`[smtp_tls_policy_maps in /etc/postfix/main.cf, entry "[192.0.2.1]:587"; smtp_tls_connection_reuse, by default]`,
			"note: 0 sessions can be found for 192.0.2.1 now [what the daemon holds now]"}},
		{"TLS policy that reuses, for one domain", func(f *Facts) {
			f.Asked = "user@Example.com"
			set(f, "smtp_tls_security_level", "may")
			set(f, "smtp_tls_policy_maps", "hash:policy")
		}, []string{"note: mail for user@Example.com goes by transport smtp to example.com [default_transport, by default]",
			"note: 0 sessions can be found for example.com now [what the daemon holds now]"}},
		{"TLS policy of a parent: none", func(f *Facts) {
			f.Asked = "a.example.net"
			set(f, "smtp_connection_cache_destinations", "static:all")
			set(f, "smtp_tls_security_level", "encrypt")
			set(f, "smtp_tls_policy_maps", "hash:policy")
		}, []string{"note: mail for a.example.net goes by transport smtp to a.example.net [default_transport, by default]",
			"note: 0 sessions can be found for a.example.net now [what the daemon holds now]"}},
		{"TLS policy that cannot be read", func(f *Facts) {
			f.Asked = "[192.0.2.1]"
			set(f, "smtp_connection_cache_destinations", "static:all")
			set(f, "smtp_tls_policy_maps", "hash:missing")
		}, []string{"wrong: it cannot be told which TLS level is for [192.0.2.1]: no such table [smtp_tls_policy_maps in /etc/postfix/main.cf]",
			"note: 0 sessions can be found for 192.0.2.1 now [what the daemon holds now]"}},
		{"a password for a nexthop", func(f *Facts) {
			f.Asked = "[192.0.2.1]:587"
			set(f, "smtp_connection_cache_destinations", "static:all")
			set(f, "smtp_sasl_auth_enable", "yes")
			set(f, "smtp_sasl_password_maps", "hash:password")
		}, []string{"note: sessions are logged in to: destinations share none, even where they lead to the same server [smtp_sasl_auth_enable in /etc/postfix/main.cf]",
			`note: there is a password for [192.0.2.1]:587: its sessions serve nobody else [smtp_sasl_password_maps in /etc/postfix/main.cf, entry "192.0.2.1"]`,
			"note: 0 sessions can be found for 192.0.2.1 now [what the daemon holds now]"}},
		{"no SMTP", func(f *Facts) {
			f.Asked = "gone.example"
			set(f, "transport_maps", "hash:transport")
		}, []string{"wrong: mail for gone.example goes by transport error to no such domain, which is neither smtp(8) nor lmtp(8): no connection is cached " +
			`[transport_maps in /etc/postfix/main.cf, entry "gone.example"]`,
			"note: 0 sessions can be found for no such domain now [what the daemon holds now]"}},
		{"transport_maps that cannot be read", func(f *Facts) {
			f.Asked = "example.com"
			set(f, "transport_maps", "hash:missing")
		}, []string{"wrong: it cannot be told how mail for example.com goes: transport_maps: no such table [/etc/postfix/main.cf]",
			"note: 0 sessions can be found for example.com now [what the daemon holds now]"}},
		{"TLS, as Debian has it", func(f *Facts) { set(f, "smtp_tls_security_level", "may") }, []string{
			"note: connections with TLS are not reused, and TLS is used wherever a server offers it " +
				"[smtp_tls_security_level in /etc/postfix/main.cf; smtp_tls_connection_reuse, by default]"}},
		{"TLS always, in an old Postfix, for one transport", func(f *Facts) {
			delete(f.Values, "smtp_tls_connection_reuse")
			f.Transports = append(f.Transports, install.Transport{Name: "secure", Command: "smtp", Options: map[string]string{"smtp_enforce_tls": "yes"}})
		}, []string{"wrong: connections with TLS are not reused, and TLS is used always " +
			"[smtp_enforce_tls, -o of transport secure in /etc/postfix/master.cf; smtp_tls_connection_reuse, by default]"}},
		{"TLS reuse without tlsproxy", func(f *Facts) {
			set(f, "smtp_tls_security_level", "dane")
			set(f, "smtp_tls_connection_reuse", "yes")
			f.Services = []string{"smtp"}
		}, []string{"wrong: TLS connections are to be reused, but there is no service tlsproxy: no mail is delivered with TLS [/etc/postfix/master.cf]"}},
		{"keys", func(f *Facts) {
			set(f, "smtp_sender_dependent_authentication", "yes")
			set(f, "smtp_sasl_auth_enable", "yes")
			set(f, "smtp_sasl_password_maps", "hash:/etc/postfix/passwords")
		}, []string{"note: every sender has sessions of its own [smtp_sender_dependent_authentication in /etc/postfix/main.cf]",
			"note: sessions are logged in to: destinations share none, even where they lead to the same server [smtp_sasl_auth_enable in /etc/postfix/main.cf]"}},
		{"times", func(f *Facts) {
			set(f, "smtp_connection_cache_time_limit", "1m")
			set(f, "smtp_connection_reuse_time_limit", "5")
			set(f, "smtp_connection_reuse_count_limit", "2")
		}, []string{"note: sessions are kept for 2s, although transport smtp asks for 1m0s " +
			"[connection_cache_ttl_limit in the default; smtp_connection_cache_time_limit in /etc/postfix/main.cf]",
			"note: a connection is used for no longer than 5s [smtp_connection_reuse_time_limit in /etc/postfix/main.cf]",
			"note: a connection is reused 2 times at most [smtp_connection_reuse_count_limit in /etc/postfix/main.cf]"}},
		{"LMTP that is used", func(f *Facts) { set(f, "mailbox_transport", "lmtp:unix:private/dovecot") }, []string{
			"wrong: connections are never cached: neither on demand, nor for any destination " +
				"[lmtp_connection_cache_on_demand, by default; lmtp_connection_cache_destinations, by default]"}},
		{"another dialect", func(f *Facts) { f.Dialect, f.SpokenFrom = "2.3", "scached.cf" }, []string{
			"wrong: scached_protocol_version is 3.6, but Postfix 3.7.11 speaks 2.3: nothing is reused [/etc/postfix/scached.cf]"}},
		{"dialect before a reload", func(f *Facts) { f.Status.Dialect = "2.3" }, []string{
			"wrong: the daemon that runs speaks dialect 2.3, but scached_protocol_version is 3.6 now [the status of the daemon]"}},
		{"parameters", func(f *Facts) {
			f.Config.Errors = []error{errors.New("bad numerical configuration: scached_client_limit = x")}
			f.Config.Warnings = []string{"/etc/postfix/scached.cf, line 3: unknown parameter: scached_foo"}
			f.OursInMain = map[string]bool{"scached_client_limit": true, "scached_bar": true}
		}, []string{
			"wrong: the daemon dies of it: bad numerical configuration: scached_client_limit = x [scached.cf or main.cf in /etc/postfix, or -o in /etc/postfix/master.cf]",
			"wrong: /etc/postfix/scached.cf, line 3: unknown parameter: scached_foo [/etc/postfix]",
			"wrong: there is no parameter scached_bar [/etc/postfix/main.cf]"}},
		{"no program", func(f *Facts) {
			f.Problems, f.Status, f.Silent = []error{errors.New("open /sbin/scached: no such file")}, nil, control.ErrNotRunning
		}, []string{"wrong: open /sbin/scached: no such file [service scache in /etc/postfix/master.cf]",
			"wrong: no connection cache there: Postfix is not running, or has no such service [/queue/private/scache]"}},
		{"the reference", func(f *Facts) { f.Reference, f.Status, f.Silent = true, nil, control.ErrNoControl }, []string{
			"wrong: the service runs Postfix's own scache(8), of which nothing more can be said [service scache in /etc/postfix/master.cf]"}},
		{"the reference still runs", func(f *Facts) { f.Status, f.Silent = nil, fmt.Errorf("socket: %w", control.ErrNoControl) }, []string{
			"wrong: what runs is not what is configured: socket: " + control.ErrNoControl.Error() + " [/queue/private/scache]"}},
		{"control is off", func(f *Facts) { f.Status, f.Silent, f.Config.Values[1].Text = nil, control.ErrNoControl, "no" }, []string{
			"note: the daemon answers no questions: nothing can be said of what it does [scached_control]"}},
		{"transports share and differ", func(f *Facts) {
			f.Differences = []install.Difference{{Space: "smtp", Transport: "relay", Other: "smtp", What: "smtp_bind_address", Value: "192.0.2.1"}}
		}, []string{`wrong: scached_name_spaces lets relay and smtp share sessions, but they differ in smtp_bind_address: "192.0.2.1" and "" ` +
			"[scached_name_spaces and /etc/postfix/master.cf]"}},
		{"transports apart", func(f *Facts) {
			f.Held = []Held{{"smtp", "example.com", false, 1}, {"relay", "example.com", false, 1}, {"a", "b.example", true, 1}, {"c", "b.example", true, 1}}
		}, []string{`note: transports keep their sessions of "example.com" apart: relay, smtp [what the daemon holds now]`}},
		{"misses", func(f *Facts) {
			f.Status.Metrics = []control.Metric{
				metric("lookups_total", 9, "kind", "destination", "result", "miss"),
				metric("lookup_misses_total", 7, "kind", "destination", "reason", "unknown"),
				metric("lookup_misses_total", 2, "kind", "destination", "reason", "dead"),
				metric("sessions_closed_total", 4, "reason", "expired"),
				metric("given_up_total", 1, "limit", "scached_session_limit"),
				metric("handovers_total", 1, "result", "failed"),
			}
		}, []string{"note: 9 lookups, but not one session was saved: what is delivered over cannot be kept [COUNTERS]",
			"note: 2 lookups missed, dead: the servers had ended the sessions [COUNTERS]",
			"note: 7 lookups missed, unknown: nothing had been saved for the destination, or not lately [COUNTERS]",
			"note: 4 sessions expired, and 0 were used again [COUNTERS]",
			"note: 1 items were given up for a limit: scached_session_limit [COUNTERS]",
			"note: 1 sessions could not be handed over: smtp(8) had gone [COUNTERS]"}},
		{"just started", func(f *Facts) { f.Status.Metrics = nil }, []string{"note: nobody has asked for a session, or saved one [COUNTERS]"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := healthy()
			test.make(f)
			findings := Examine(f)
			counters := countersOf + ", since " + time.Unix(0, 0).Format("15:04:05")
			got := strings.ReplaceAll(strings.Join(told(findings), "\n"), counters, "COUNTERS")
			if diff := cmp.Diff(strings.Join(test.want, "\n"), got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if AnyWrong(findings) != strings.Contains(got, "wrong: ") {
				t.Error("AnyWrong says something else")
			}
			for _, finding := range findings {
				if finding.Where == "" || finding.Change == "" {
					t.Errorf("%q: nothing said of where, or of what to change", finding.What)
				}
			}
		})
	}
}

// Mail goes the way that trivial-rewrite(8) finds.
func TestRoute(t *testing.T) {
	set := map[string]string{"transport_maps": "hash:transport", "sender_dependent_relayhost_maps": "hash:senders"}
	for _, test := range []struct {
		name, asked, sender, want string
		main                      map[string]string
	}{
		{"the default", "example.com", "", "smtp example.com", nil},
		{"relay host", "user@example.com", "", "smtp [192.0.2.2]", map[string]string{"relayhost": "[192.0.2.2]"}},
		{"a nexthop in the default", "example.com", "", "slow [192.0.2.3]", map[string]string{"relayhost": "x.example", "default_transport": "slow:[192.0.2.3]"}},
		{"local", "here.example", "", "local here", nil},
		{"below a local domain", "a.here.example", "", "smtp a.here.example", nil},
		{"below a relay domain", "a.relay.example", "", "relay a.relay.example", nil},
		{"virtual", "v.example", "", "lmtp unix:private/lmtp", map[string]string{"virtual_mailbox_domains": "v.example"}},
		{"an entry with a transport", "apart.example", "", "slow apart.example", set},
		{"no entry for what is below", "b.apart.example", "", "smtp b.apart.example", set},
		{"an entry for what is below", "a.b.below.example", "", "slow [192.0.2.9]:26", set},
		{"an entry with a nexthop, for one address", "User@example.net", "", "smtp [192.0.2.8]", set},
		{"an entry that changes nothing", "same.example", "", "smtp same.example", set},
		{"an entry for all", "any.example", "", "slow [192.0.2.1]", map[string]string{"transport_maps": "hash:transport, inline:{ {*=slow:[192.0.2.1]} }"}},
		{"a sender's relay host", "example.com", "Me@origin.example", "smtp [192.0.2.7]:587", set},
		{"a sender without one", "example.com", "boss@origin.example", "smtp example.com", set},
		{"another sender", "example.com", "me@other.example", "smtp example.com", set},
		{"a sender's transport", "example.com", "me@origin.example", "slow example.com", map[string]string{"sender_dependent_default_transport_maps": "hash:ways"}},
		{"not that of a relay domain", "relay.example", "me@origin.example", "relay relay.example", map[string]string{"sender_dependent_default_transport_maps": "hash:ways"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := healthy()
			f.Asked, f.Sender = test.asked, test.sender
			for name, value := range test.main {
				f.Main[name], f.Values[name] = value, value
			}
			inner := f.LookUp
			f.LookUp = func(table, key string) (string, bool, error) {
				if table == "inline:{ {*=slow:[192.0.2.1]} }" {
					return "slow:[192.0.2.1]", key == "*", nil
				}
				return inner(table, key)
			}
			e := &examination{Facts: f}
			r, err := e.route()
			if got := r.transport + " " + r.nexthop; got != test.want || err != nil {
				t.Errorf("%s, %v, and not %s", got, err, test.want)
			}
			const again = "another way may be chosen for some senders"
			byClass := r.transport != "local" && r.transport != "lmtp" && (test.main["sender_dependent_relayhost_maps"] != "" || test.main["sender_dependent_default_transport_maps"] != "")
			if got := strings.Contains(strings.Join(told(e.findings), "\n"), again); got != (byClass && test.sender == "") {
				t.Errorf("findings: %v", e.findings)
			}
		})
	}
}

func TestListed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(file, []byte("# comment\nfile.example\n!never.example\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	list := "!no.example a.example,b.example " + file + " hash:table"
	for name, want := range map[string]bool{"no.example": false, "a.example": true, "B.example": true, "x.a.example": false,
		"file.example": true, "comment": false, "never.example": false, "in.table": true, "other": false} {
		got, err := listed(list, name, func(table, key string) (bool, error) { return table == "hash:table" && key == "in.table", nil })
		if got != want || err != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if got, err := listed("static:all", "x", nil); !got || err != nil {
		t.Errorf("static: %v, %v", got, err)
	}
	if _, err := listed(file+".missing", "x", nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestWrite(t *testing.T) {
	findings := []Finding{{What: "b", Where: "w", Change: "c"}, {Wrong: true, What: "a", Where: "w", Change: "c"}}
	var text, objects bytes.Buffer
	if err := errors.Join(Write(&text, findings), WriteJSON(&objects, findings)); err != nil {
		t.Fatal(err)
	}
	want := "WRONG  a\n       read in: w\n       to do:   c\nnote   b\n       read in: w\n       to do:   c\n1 wrong, 1 worth knowing\n"
	if diff := cmp.Diff(want, text.String()); diff != "" {
		t.Error(diff)
	}
	var first Finding
	if err := json.NewDecoder(&objects).Decode(&first); err != nil || first != findings[0] {
		t.Errorf("%v, %v", first, err)
	}
}
