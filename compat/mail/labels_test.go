package mail

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"scache/compat/master"
	"scache/compat/postfix"
	"scache/compat/testbed"
	"scache/scached/control"
)

var update = flag.Bool("update", false, "record the labels of this Postfix anew, for the tests of scached/control")

// A recorded is a label of smtp(8), with what it means: a line of the pool.
type recorded struct {
	Name, Version, Kind, Label, Property string
	Want                                 control.Label
	TLS                                  string   `json:",omitempty"` // of a session
	Features                             []string `json:",omitempty"`
}

const labelsPool = "../../scached/control/testdata/labels.jsonl"

// A labelled is mail whose sessions have labels of some form.
type labelled struct {
	name       string
	sink       SinkOptions
	transport  string // smtp if empty
	nexthop    func(*Sink) string
	main       []string
	master     []string
	from, to   string
	binding    control.Label // without transport and nexthop
	session    control.Label // without transport, address and port
	tls        string        // of a session
	features   string
	trustsSink bool
}

// labelledMail is one for each form that a label can have.
func labelledMail(t *testing.T) []labelled {
	socket, err := master.TempDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(socket) })
	if err := os.Chmod(socket, 0o755); err != nil {
		t.Fatal(err)
	}
	tls := func(level string, more ...string) []string {
		return append(more, "smtp_tls_security_level = "+level, "smtp_tls_connection_reuse = yes")
	}
	login := []string{"smtp_sasl_auth_enable = yes", "smtp_sasl_password_maps = static:user:secret", "smtp_sasl_security_options ="}
	bySender := append(login, "smtp_sender_dependent_authentication = yes")
	lmtp := []string{"lmtp_connection_cache_on_demand = no", "lmtp_connection_cache_destinations = static:all"}
	named := func(s *Sink) string { return fmt.Sprintf("[sink.example.test]:%d", s.Addr().Port()) }
	const plain, secure = "ESMTP 8BITMIME PIPELINING", "ESMTP 8BITMIME PIPELINING FROM_PROXY"
	return []labelled{
		{name: "an address and a port", features: plain},
		{name: "an IPv6 address", sink: SinkOptions{Host: "::1"}, main: []string{"inet_protocols = all"}, features: plain},
		{name: "a host", nexthop: named, features: plain},
		{name: "another transport", transport: "relay", features: plain},
		{name: "TLS if there is any", sink: SinkOptions{TLS: true}, main: tls("may"), features: secure,
			session: control.Label{TLSLevel: "may"}, tls: "may"},
		{name: "TLS if there were any", main: tls("may"), features: plain, session: control.Label{TLSLevel: "may"}, tls: "may"},
		{name: "TLS always", sink: SinkOptions{TLS: true}, main: tls("encrypt"), features: secure,
			session: control.Label{TLSLevel: "encrypt"}, tls: "encrypt"},
		{name: "TLS with a host that is verified", sink: SinkOptions{TLS: true}, nexthop: named, trustsSink: true, main: tls("verify"), features: secure,
			session: control.Label{TLSLevel: "verify", Nexthop: "NEXTHOP"}, tls: "verify"},
		{name: "TLS with a nexthop that is verified", sink: SinkOptions{TLS: true}, nexthop: named, trustsSink: true, main: tls("secure"), features: secure,
			session: control.Label{TLSLevel: "secure", Nexthop: "NEXTHOP"}, tls: "secure"},
		{name: "SASL", sink: SinkOptions{Login: true}, nexthop: named, main: login, features: plain + " AUTH",
			session: control.Label{Nexthop: "NEXTHOP", Host: "sink.example.test"}},
		{name: "a sender", sink: SinkOptions{Login: true}, main: bySender, from: "sender@origin.example", features: plain + " AUTH",
			binding: control.Label{Sender: "sender@origin.example"},
			session: control.Label{Sender: "sender@origin.example", Nexthop: "NEXTHOP", Host: "ADDRESS"}},
		{name: "a sender with an asterisk", sink: SinkOptions{Login: true}, main: bySender, from: "a*b@origin.example", features: plain + " AUTH",
			binding: control.Label{Sender: "a*b@origin.example"},
			session: control.Label{Sender: "a*b@origin.example", Nexthop: "NEXTHOP", Host: "ADDRESS"}},
		{name: "the null sender", sink: SinkOptions{Login: true}, main: bySender, from: nullSender, features: plain + " AUTH",
			session: control.Label{Nexthop: "NEXTHOP", Host: "ADDRESS"}},
		{name: "SMTPUTF8", sink: SinkOptions{UTF8: true}, to: "üser@dest.example", features: plain + " SMTPUTF8"},
		{name: "LMTP", transport: "lmtp", sink: SinkOptions{LMTP: true}, main: lmtp, features: plain,
			nexthop: func(s *Sink) string { return "inet:" + s.NextHop() }},
		{name: "LMTP over a socket", transport: "local-lmtp", sink: SinkOptions{LMTP: true, Socket: socket + "/sink"}, main: lmtp,
			master: []string{"local-lmtp unix - - n - - lmtp"}, features: plain},
	}
}

// What labels and properties of sessions mean is what the mail was that they are
// from, and the pool that scached/control is tested with holds labels of each form.
func TestLabels(t *testing.T) {
	testbed.Reference(t)
	version := installedVersion(t)
	var mu sync.Mutex
	var all []recorded
	cases := labelledMail(t)
	t.Run("record", func(t *testing.T) {
		for _, l := range cases {
			t.Run(l.name, func(t *testing.T) {
				t.Parallel()
				got := l.record(t, version)
				mu.Lock()
				defer mu.Unlock()
				all = append(all, got...)
			})
		}
	})
	if *update && !t.Failed() {
		writePool(t, cases, all)
	}
	comparePool(t, version, all)
}

func installedVersion(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("postconf", "-dh", "mail_version").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// record delivers mail, and returns the labels of what is in the cache then, the
// binding's first.
func (l *labelled) record(t *testing.T, version string) (got []recorded) {
	t.Helper()
	var nexthop, host string
	var port int
	delivery := Delivery{
		Postfix: postfix.Options{Cache: testbed.Scached(t), CacheArgs: []string{"-o", "connection_cache_ttl_limit=60s"},
			Main: append(l.main, byDestination...), Master: append(l.master, "tlsproxy unix - - n - 0 tlsproxy")},
		Sink: l.sink,
		Mail: Injection{Messages: 1},
	}
	if l.from != "" {
		delivery.Mail.From = func(int) string { return strings.TrimPrefix(l.from, nullSender) }
	}
	if l.to != "" {
		delivery.Mail.To = func(int) string { return l.to }
	}
	delivery.Configure = func(o *postfix.Options, sink *Sink) {
		nexthop = sink.NextHop()
		if l.nexthop != nil {
			nexthop = l.nexthop(sink)
		}
		if l.sink.Socket == "" {
			host, port = sink.Addr().Addr().String(), int(sink.Addr().Port())
			o.Hosts = []string{host + " sink.example.test"}
		} else {
			host = l.sink.Socket
		}
		o.Main = append(o.Main, "smtp_connection_cache_time_limit = 60s", "lmtp_connection_cache_time_limit = 60s",
			"default_transport = "+l.transportName()+":"+nexthop, "smtp_host_lookup = native")
		if l.trustsSink {
			o.Main = append(o.Main, "smtp_tls_CAfile = "+certificateFile(t, sink), "smtp_tls_secure_cert_match = hostname",
				"tls_append_default_CA = no")
		}
	}
	delivery.After = func(ctx context.Context, p *postfix.Instance, _ *Sink) error {
		cache := &control.Client{Path: p.CacheSocket()}
		err := cache.Bindings(ctx, control.Filter{}, func(e control.Entry) error {
			got = append(got, recorded{Kind: "binding", Label: e.Label, Property: e.Property})
			return nil
		})
		return errors.Join(err, cache.Sessions(ctx, control.Filter{}, func(e control.Entry) error {
			got = append(got, recorded{Kind: "session", Label: e.Label, Property: e.Property})
			return nil
		}))
	}
	if _, err := delivery.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Kind != "binding" {
		t.Fatalf("the cache holds %+v", got)
	}
	if l.sink.Socket != "" {
		nexthop = l.sink.Socket
	}
	l.expect(got, strings.TrimPrefix(nexthop, "inet:"), host, port)
	for i := range got {
		got[i].Name, got[i].Version = l.name, version
		got[i].check(t)
	}
	return got
}

// nullSender stands for a sender that is empty.
const nullSender = "NULL"

func (l *labelled) transportName() string { return cmp.Or(l.transport, "smtp") }

// expect tells what a binding and a session mean.
func (l *labelled) expect(got []recorded, nexthop, address string, port int) {
	words := strings.NewReplacer("NEXTHOP", nexthop, "ADDRESS", address)
	binding, session := l.binding, l.session
	binding.Transport, binding.Nexthop = l.transportName(), nexthop
	session.Transport, session.Address, session.Port = l.transportName(), address, port
	session.TLSLevel = cmp.Or(session.TLSLevel, "none")
	session.Nexthop, session.Host = words.Replace(session.Nexthop), words.Replace(session.Host)
	got[0].Want, got[1].Want = binding, session
	got[1].TLS, got[1].Features = cmp.Or(l.tls, "none"), strings.Fields(l.features)
}

// check takes the label apart.
func (r *recorded) check(t *testing.T) {
	t.Helper()
	decode := control.Destination
	if r.Kind == "session" {
		decode = control.Endpoint
	}
	got, ok := decode(r.Label)
	if diff := gocmp.Diff(r.Want, got); diff != "" || !ok {
		t.Errorf("label %q of the %s: %v (-want +got):\n%s", r.Label, r.Kind, ok, diff)
	}
	if r.Kind == "binding" {
		return
	}
	properties := control.Properties(r.Property)
	if got := control.TLSLevel(properties["tls_level"]); got != r.TLS {
		t.Errorf("the level is %q, not %q, by %q", got, r.TLS, r.Property)
	}
	if diff := gocmp.Diff(r.Features, control.Features(properties["endpoint_features"])); diff != "" {
		t.Errorf("features (-want +got), by %q:\n%s", r.Property, diff)
	}
}

// certificateFile is a file with the certificate of a sink.
func certificateFile(t *testing.T, sink *Sink) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sink.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: sink.tls.Certificates[0].Certificate[0]})
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// writePool writes what was recorded.
func writePool(t *testing.T, cases []labelled, all []recorded) {
	t.Helper()
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	for _, l := range cases {
		for _, r := range all {
			if r.Name != l.name {
				continue
			}
			if err := encoder.Encode(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.WriteFile(labelsPool, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// comparePool looks whether the pool has a label of each form that was recorded
// now.
func comparePool(t *testing.T, version string, all []recorded) {
	t.Helper()
	text, err := os.ReadFile(labelsPool)
	if err != nil {
		t.Fatal(err)
	}
	pool := map[string]string{}
	for lines := json.NewDecoder(bytes.NewReader(text)); lines.More(); {
		var r recorded
		if err := lines.Decode(&r); err != nil {
			t.Fatal(err)
		}
		if r.Version != version {
			t.Logf("the pool is of Postfix %s, and this is %s: labels may have other forms", r.Version, version)
			return
		}
		pool[r.Name+", "+r.Kind] = r.form()
	}
	for _, r := range all {
		name := r.Name + ", " + r.Kind
		if diff := gocmp.Diff(pool[name], r.form()); diff != "" {
			t.Errorf("%s has another form than in the pool; -update records it anew (-pool +now):\n%s", name, diff)
		}
	}
}

// form is the label without what is another one each time: port, and path of a
// socket.
func (r *recorded) form() string {
	label := r.Label
	for _, variable := range []string{strconv.Itoa(r.Want.Port), r.Want.Address} {
		if variable != "0" && variable != "" && !strings.HasPrefix(variable, "127.") {
			label = strings.ReplaceAll(label, variable, "X")
		}
	}
	if _, port, ok := strings.Cut(r.Want.Nexthop, "]:"); ok {
		label = strings.ReplaceAll(label, port, "X")
	}
	if strings.HasPrefix(r.Want.Nexthop, "/") {
		label = strings.ReplaceAll(label, r.Want.Nexthop, "X")
	}
	return label
}
