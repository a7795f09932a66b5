package postfix

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/smtp"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"scache/attrproto"
	"scache/attrproto/service"
	"scache/compat/master"
	"scache/compat/testbed"
)

// attrPostfix is an instance in which mail waits, bounces or goes on hold.
var attrPostfix = Options{Main: []string{
	"defer_transports = smtp",
	"transport_maps = inline:{bounce.example=error:5.1.1_no_such_user}",
	"smtpd_recipient_restrictions = check_recipient_access inline:{hold@dest.example=HOLD}, permit_mynetworks, reject",
	"smtpd_client_event_limit_exceptions =",
	"smtpd_client_message_rate_limit = 1000", // smtpd(8) does not count without a limit
	"smtpd_client_recipient_rate_limit = 1000",
	"enable_long_queue_ids = yes",
	"minimal_backoff_time = 1000s",
	"maximal_backoff_time = 4000s",
	"soft_bounce = yes",
}}

// submitTo submits a message for several recipients.
func submitTo(t *testing.T, p *Instance, sender string, recipients ...string) {
	t.Helper()
	body := strings.NewReplacer("\n", "\r\n").Replace("Subject: test\n\nHello.\n")
	if err := send(p.SMTPD.String(), sender, recipients, body); err != nil {
		t.Fatal(err)
	}
}

// send is smtp.SendMail with a bound.
func send(address, sender string, recipients []string, body string) error {
	const bound = time.Minute
	conn, err := net.DialTimeout("tcp", address, bound)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(bound)); err != nil {
		return err
	}
	c, err := smtp.NewClient(conn, "localhost")
	if err != nil {
		return err
	}
	if err := c.Mail(sender); err != nil {
		return err
	}
	for _, recipient := range recipients {
		if err := c.Rcpt(recipient); err != nil {
			return err
		}
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, body); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return c.Quit()
}

// TestAttrServices asks the services of a real Postfix by the attribute
// library, which greets, and through a go-between that keeps the greetings to
// itself, as if it were older than 3.6.
func TestAttrServices(t *testing.T) {
	testbed.Reference(t)
	p := startInstance(t, attrPostfix)
	greets := service.Postfix{QueueDirectory: p.dirs.queue}
	older := service.Postfix{QueueDirectory: withoutGreetings(t, p.dirs.queue), NoGreeting: true}
	for i := range 5 {
		recipients := make([]string, i+1)
		for j := range recipients {
			recipients[j] = fmt.Sprintf("user%d@dest%d.example", j, j%2)
		}
		submitTo(t, p, fmt.Sprintf("sender%d@origin.example", i), recipients...)
	}
	submitTo(t, p, `"quo\"ted\\ name"@origin.example`, `"a b"@dest.example`)
	submitTo(t, p, "", "hold@dest.example")
	for name, postfix := range map[string]service.Postfix{"3.6": greets, "before": older} {
		t.Run(name, func(t *testing.T) {
			t.Run("showq", func(t *testing.T) { checkQueue(t, p, postfix) })
			t.Run("resolve", func(t *testing.T) { checkResolve(t, postfix) })
			t.Run("verify", func(t *testing.T) { checkVerify(t, postfix) })
			t.Run("anvil", func(t *testing.T) { checkAnvil(t, p, postfix) })
		})
	}
	t.Run("wrong version", func(t *testing.T) {
		greets.NoGreeting = true
		var e *attrproto.Error
		if _, err := greets.Verify("x@dest.example"); !errors.As(err, &e) || e.Kind != attrproto.KindMissing {
			t.Errorf("a greeting in place of an answer: %v", err)
		}
	})
}

// TestAttrGreetings connects to every service that is in the table and runs.
func TestAttrGreetings(t *testing.T) {
	testbed.Reference(t)
	p := startInstance(t, Options{
		Main:   []string{"virtual_mailbox_base = /nonexistent"}, // virtual(8) refuses to run without
		Master: []string{"tlsproxy unix - - y - 0 tlsproxy"},
	})
	for _, s := range service.Table {
		t.Run(s.Name, func(t *testing.T) {
			conn, err := net.Dial("unix", filepath.Join(p.dirs.queue, s.Path()))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(patience))
			r := attrproto.NewReader(conn)
			r.Encoding = s.Encoding
			wants := []attrproto.Want{attrproto.Equal("protocol", s.Protocol)}
			if s.Name == "cleanup" {
				wants = append(wants, attrproto.Want{Name: "queue_id"})
			}
			if _, err := r.Scan(attrproto.FlagStrict, wants...); err != nil || r.Granted() != len(wants) {
				t.Error(r.Granted(), err)
			}
		})
	}
}

// checkQueue compares our listing with that of postqueue(1).
func checkQueue(t *testing.T, p *Instance, postfix service.Postfix) {
	var want, got []any
	if !master.WaitUntil(patience, func() bool {
		want = postqueue(t, p)
		got = nil
		for m, err := range postfix.Queue() {
			if err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, parseJSON(t, text))
		}
		settled := len(want) == 7 && !bytes.Contains(mustJSON(t, want), []byte(`"active"`)) &&
			!bytes.Contains(mustJSON(t, want), []byte(`"incoming"`))
		return settled && cmp.Equal(want, postqueue(t, p))
	}) {
		t.Fatalf("the queue does not settle: %s", mustJSON(t, want))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-postqueue +ours):\n%s", diff)
	}
	text := string(mustJSON(t, got))
	for _, part := range []string{"deferred", "hold", "delay_reason", `\"a b\"@dest.example`, "MAILER-DAEMON"} {
		if !strings.Contains(text, part) {
			t.Errorf("the listing has nothing like %s, so that it proves little: %s", part, text)
		}
	}
}

// postqueue returns what "postqueue -j" says.
func postqueue(t *testing.T, p *Instance) (list []any) {
	t.Helper()
	cmd := exec.Command(filepath.Join(p.own.CommandDir, "postqueue"), "-c", p.ConfigDir(), "-j")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("postqueue: %v", err)
	}
	for line := range bytes.Lines(out) {
		list = append(list, parseJSON(t, line))
	}
	return list
}

func parseJSON(t *testing.T, text []byte) (value any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return value
}

func mustJSON(t *testing.T, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func checkResolve(t *testing.T, postfix service.Postfix) {
	for address, want := range map[string]service.Route{
		"a@dest.example":   {Transport: "smtp", Nexthop: "dest.example", Recipient: "a@dest.example", Flags: service.ClassDefault},
		"a@bounce.example": {Transport: "error", Nexthop: "5.1.1_no_such_user", Recipient: "a@bounce.example", Flags: service.ClassDefault},
	} {
		if got, err := postfix.Resolve("sender@origin.example", address); err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", address, got, err, want)
		}
	}
	if got, err := postfix.Rewrite("local", "a"); err != nil || got != "a@mail.example.test" {
		t.Errorf("rewrite: %q, %v", got, err)
	}
}

// checkVerify asks until the probe is back.
func checkVerify(t *testing.T, postfix service.Postfix) {
	var v service.Verification
	if !master.WaitUntil(patience, func() bool {
		var err error
		if v, err = postfix.Verify("someone@bounce.example"); err != nil {
			t.Fatal(err)
		}
		return v.Status != service.Unknown
	}) {
		t.Fatalf("no answer: %+v", v)
	}
	if !strings.Contains(v.Reason, "no_such_user") {
		t.Errorf("%+v", v)
	}
}

// checkAnvil looks at a session of our own.
func checkAnvil(t *testing.T, p *Instance, postfix service.Postfix) {
	client, err := smtp.Dial(p.SMTPD.String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	before, err := postfix.Anvil(p.SMTPD.String(), "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	if before.Connections < 1 || before.ConnectionRate < 1 {
		t.Errorf("connected: %+v", before)
	}
	if err := errors.Join(client.Hello("client.example"), client.Mail("a@origin.example"), client.Rcpt("b@dest.example")); err != nil {
		t.Fatal(err)
	}
	after, err := postfix.Anvil(p.SMTPD.String(), "127.0.0.1")
	if err != nil || after.Messages != before.Messages+1 || after.Recipients != before.Recipients+1 {
		t.Errorf("after MAIL and RCPT: %+v, before %+v, %v", after, before, err)
	}
	if none, err := postfix.Anvil("smtp", "192.0.2.99"); err != nil || none != (service.Rates{}) {
		t.Errorf("a client that never came: %+v, %v", none, err)
	}
}

// withoutGreetings returns a directory with sockets that lead to those in a
// queue directory, but where the service's greeting does not come through.
func withoutGreetings(t *testing.T, queue string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sc")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for _, name := range []string{"showq", "rewrite", "verify", "anvil"} {
		s, _ := service.Find(name)
		path := filepath.Join(dir, s.Path())
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		listener, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		var relays sync.WaitGroup
		t.Cleanup(func() {
			listener.Close()
			relays.Wait()
		})
		relays.Go(func() {
			for {
				client, err := listener.Accept()
				if err != nil {
					return
				}
				relays.Go(func() { relay(t, client, filepath.Join(queue, s.Path()), s) })
			}
		})
	}
	return dir
}

// relay takes the greeting off a service's connection and joins the rest with
// a client's. It takes ownership of the client.
func relay(t *testing.T, client net.Conn, path string, s service.Service) {
	defer client.Close()
	server, err := net.Dial("unix", path)
	if err != nil {
		t.Error(err)
		return
	}
	defer server.Close()
	deadline := time.Now().Add(patience)
	client.SetDeadline(deadline)
	server.SetDeadline(deadline)
	r := attrproto.NewReader(server)
	r.Encoding = s.Encoding
	if err := r.Greeting(s.Protocol); err != nil {
		t.Error(err)
		return
	}
	var both sync.WaitGroup
	rest := io.MultiReader(bytes.NewReader(r.Buffered()), server)
	for to, from := range map[net.Conn]io.Reader{client: rest, server: client} {
		both.Go(func() {
			io.Copy(to, from)
			to.(*net.UnixConn).CloseWrite()
		})
	}
	both.Wait()
}
