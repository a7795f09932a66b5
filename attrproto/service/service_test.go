package service

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"scache/attrproto"
)

// standIn is a queue directory with one service in it, which serves each
// client with f.
func standIn(t *testing.T, name string, f func(r *attrproto.Reader, w *attrproto.Writer)) Postfix {
	t.Helper()
	s, ok := Find(name)
	if !ok {
		t.Fatalf("no service %q", name)
	}
	dir, err := os.MkdirTemp("", "sc") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, s.Path())
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		listener.Close()
		<-done
	})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conn.SetDeadline(time.Now().Add(10 * time.Second))
			r, w := attrproto.NewReader(conn), attrproto.NewWriter(conn)
			r.Encoding, w.Encoding = s.Encoding, s.Encoding
			f(r, w)
			conn.Close()
		}
	}()
	return Postfix{QueueDirectory: dir, Timeout: 10 * time.Second}
}

func greet(w *attrproto.Writer, protocol string) {
	w.String("protocol", protocol)
	w.Send()
}

// writeQueue writes a listing as some version of Postfix does.
func writeQueue(w *attrproto.Writer, greets, forcedExpire bool) {
	if greets {
		greet(w, "mail_queue_list_protocol")
	}
	for _, id := range []string{"4XkvDZ1YsCz3x", "1A2B3C"} {
		w.String("queue_name", "deferred")
		w.String("queue_id", id)
		w.Long("time", 1700000000)
		w.Long("size", 321)
		if forcedExpire {
			w.Int("forced_expire", 1)
		}
		w.String("sender", "MAILER-DAEMON")
		if id == "1A2B3C" {
			w.String("recipient", "a@example.com")
			w.String("reason", "connect to\x01example.com")
			w.String("recipient", "b@example.com")
			w.String("reason", "")
		}
		w.End()
	}
	w.End()
	w.Flush()
}

func TestQueue(t *testing.T) {
	for name, c := range map[string]struct{ greets, forcedExpire bool }{
		"Postfix 3.6": {true, true}, "Postfix 3.5": {false, true}, "Postfix 3.1": {false, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := standIn(t, "showq", func(_ *attrproto.Reader, w *attrproto.Writer) { writeQueue(w, c.greets, c.forcedExpire) })
			var got []Message
			for m, err := range p.Queue() {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, m)
			}
			want := []Message{
				{Queue: "deferred", ID: "4XkvDZ1YsCz3x", Arrival: 1700000000, Size: 321, ForcedExpire: c.forcedExpire,
					Sender: "MAILER-DAEMON", Recipients: []Recipient{}},
				{Queue: "deferred", ID: "1A2B3C", Arrival: 1700000000, Size: 321, ForcedExpire: c.forcedExpire,
					Sender: "MAILER-DAEMON", Recipients: []Recipient{
						{"a@example.com", "connect to?example.com"}, {"b@example.com", ""}}},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestQueueStops leaves the loop after the first message.
func TestQueueStops(t *testing.T) {
	p := standIn(t, "showq", func(_ *attrproto.Reader, w *attrproto.Writer) { writeQueue(w, true, true) })
	count := 0
	for range p.Queue() {
		count++
		break
	}
	if count != 1 {
		t.Errorf("%d messages", count)
	}
}

func TestQueueJSON(t *testing.T) {
	m := Message{Queue: "active", ID: "X", Recipients: []Recipient{{Address: "a"}}}
	text, err := json.Marshal(m)
	want := `{"queue_name":"active","queue_id":"X","arrival_time":0,"message_size":0,"forced_expire":false,"sender":"","recipients":[{"address":"a"}]}`
	if err != nil || string(text) != want {
		t.Errorf("%s, %v, want %s", text, err, want)
	}
}

func TestQueueErrors(t *testing.T) {
	for name, c := range map[string]struct {
		serve    func(w *attrproto.Writer)
		messages int
		is       error
		text     string
	}{
		"hangs up": {func(w *attrproto.Writer) {}, 0, io.ErrUnexpectedEOF, "premature"},
		"hangs up in a message": {func(w *attrproto.Writer) {
			greet(w, "mail_queue_list_protocol")
			w.String("queue_name", "active")
			w.Flush()
		}, 0, io.ErrUnexpectedEOF, "premature"},
		"hangs up after a message": {func(w *attrproto.Writer) {
			greet(w, "mail_queue_list_protocol")
			w.String("queue_name", "active")
			w.String("queue_id", "X")
			w.Long("time", 1)
			w.Long("size", 1)
			w.String("sender", "")
			w.Send()
		}, 1, io.ErrUnexpectedEOF, "premature"},
		"another service": {func(w *attrproto.Writer) { greet(w, "tlsmgr_protocol") }, 0, nil, "unexpected protocol tlsmgr_protocol"},
		"another list": {func(w *attrproto.Writer) {
			greet(w, "mail_queue_list_protocol")
			w.String("queue", "active")
			w.Send()
		}, 0, nil, "unexpected attribute queue"},
	} {
		t.Run(name, func(t *testing.T) {
			p := standIn(t, "showq", func(_ *attrproto.Reader, w *attrproto.Writer) { c.serve(w) })
			messages := 0
			var last error
			for _, err := range p.Queue() {
				if last != nil {
					t.Error("it goes on after an error")
				}
				if last = err; err == nil {
					messages++
				}
			}
			if messages != c.messages || last == nil || c.is != nil && !errors.Is(last, c.is) || !strings.Contains(last.Error(), c.text) {
				t.Errorf("%d messages, error %v", messages, last)
			}
		})
	}
}

func TestNobodyThere(t *testing.T) {
	p := Postfix{QueueDirectory: t.TempDir()}
	for _, err := range p.Queue() {
		if !errors.Is(err, os.ErrNotExist) {
			t.Errorf("queue: %v", err)
		}
	}
	if _, err := p.Verify("a"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("verify: %v", err)
	}
}

// TestTimeout has a service that says nothing.
func TestTimeout(t *testing.T) {
	stop := make(chan struct{})
	p := standIn(t, "verify", func(*attrproto.Reader, *attrproto.Writer) { <-stop })
	defer close(stop)
	p.Timeout = 5 * time.Millisecond
	if _, err := p.Verify("a"); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

// readRequest reads a request and returns its values.
func readRequest(t *testing.T, r *attrproto.Reader, names ...string) []string {
	values := make([]string, len(names))
	var wants []attrproto.Want
	for i, name := range names {
		wants = append(wants, attrproto.StringVar(name, &values[i]))
	}
	if _, err := r.Scan(attrproto.FlagStrict, wants...); err != nil {
		t.Errorf("request: %v", err)
	}
	return values
}

// versions runs a test with services that greet and with services that do not.
func versions(t *testing.T, f func(t *testing.T, greets bool)) {
	t.Run("greeting", func(t *testing.T) { f(t, true) })
	t.Run("no greeting", func(t *testing.T) { f(t, false) })
}

func TestResolve(t *testing.T) {
	versions(t, func(t *testing.T, greets bool) {
		p := standIn(t, "rewrite", func(r *attrproto.Reader, w *attrproto.Writer) {
			if greets {
				greet(w, "trivial_rewrite_protocol")
			}
			got := readRequest(t, r, "request", "sender", "address")
			if diff := cmp.Diff([]string{"resolve", "s@example.com", "a@example.org"}, got); diff != "" {
				t.Error(diff)
			}
			w.Int("flags", 0)
			w.String("transport", "smtp")
			w.String("nexthop", "example.org")
			w.String("recipient", "a@example.org")
			w.Int("flags", 4097)
			w.Send()
		})
		p.NoGreeting = !greets
		got, err := p.Resolve("s@example.com", "a@example.org")
		want := Route{Transport: "smtp", Nexthop: "example.org", Recipient: "a@example.org", Flags: RouteFinal | ClassDefault}
		if err != nil || got != want {
			t.Errorf("%+v, %v", got, err)
		}
		if diff := cmp.Diff([]string{"final", "default"}, got.Flags.Names()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRewrite(t *testing.T) {
	p := standIn(t, "rewrite", func(r *attrproto.Reader, w *attrproto.Writer) {
		greet(w, "trivial_rewrite_protocol")
		got := readRequest(t, r, "request", "rule", "address")
		if diff := cmp.Diff([]string{"rewrite", "local", "a"}, got); diff != "" {
			t.Error(diff)
		}
		w.Int("flags", 0)
		w.String("address", "a@example.org")
		w.Send()
	})
	if got, err := p.Rewrite("local", "a"); err != nil || got != "a@example.org" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestVerify(t *testing.T) {
	versions(t, func(t *testing.T, greets bool) {
		status := 0
		p := standIn(t, "verify", func(r *attrproto.Reader, w *attrproto.Writer) {
			if greets {
				greet(w, "address_verification_prrotocol")
			}
			got := readRequest(t, r, "request", "address")
			if diff := cmp.Diff([]string{"query", "a@example.org"}, got); diff != "" {
				t.Error(diff)
			}
			w.Int("status", status)
			w.Int("recipient_status", 2)
			w.String("reason", "no\x01such user")
			w.Send()
		})
		p.NoGreeting = !greets
		if v, err := p.Verify("a@example.org"); err != nil || v != (Verification{Undeliverable, "no?such user"}) {
			t.Errorf("%+v, %v", v, err)
		}
		status = -1
		if _, err := p.Verify("a@example.org"); err == nil || !strings.Contains(err.Error(), "status -1") {
			t.Errorf("error %v", err)
		}
	})
}

func TestAnvil(t *testing.T) {
	versions(t, func(t *testing.T, greets bool) {
		p := standIn(t, "anvil", func(r *attrproto.Reader, w *attrproto.Writer) {
			if greets {
				greet(w, "anvil_protocol")
			}
			got := readRequest(t, r, "request", "ident")
			if diff := cmp.Diff([]string{"lookup", "smtp:192.0.2.1"}, got); diff != "" {
				t.Error(diff)
			}
			for i, name := range []string{"status", "count", "rate", "mail", "rcpt", "newtls", "auth"} {
				if name != "auth" || greets { // which is younger than the others
					w.Int(name, i)
				}
			}
			w.Send()
		})
		p.NoGreeting = !greets
		want := Rates{1, 2, 3, 4, 5, 6}
		if !greets {
			want.Authentications = 0
		}
		if got, err := p.Anvil("smtp", "192.0.2.1"); err != nil || got != want {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// TestShortAnswer has fewer attributes than any version sends.
func TestShortAnswer(t *testing.T) {
	p := standIn(t, "anvil", func(r *attrproto.Reader, w *attrproto.Writer) {
		greet(w, "anvil_protocol")
		readRequest(t, r, "request", "ident")
		w.Int("status", 0)
		w.Send()
	})
	if _, err := p.Anvil("smtp", "x"); err == nil || !strings.Contains(err.Error(), "1 attributes, not 6") {
		t.Errorf("error %v", err)
	}
}

// TestUnsendable does not send what would arrive as something else.
func TestUnsendable(t *testing.T) {
	p := standIn(t, "verify", func(r *attrproto.Reader, w *attrproto.Writer) {
		greet(w, "address_verification_prrotocol")
		if _, err := r.Scan(0); err != io.EOF {
			t.Errorf("something was sent: %v", err)
		}
	})
	var e *attrproto.EncodeError
	if _, err := p.Verify("a\x00b"); !errors.As(err, &e) {
		t.Errorf("error %v", err)
	}
}

func TestAddressStatus(t *testing.T) {
	for status, want := range map[AddressStatus]string{
		Deliverable: "deliverable", Deferred: "deferred", Undeliverable: "undeliverable", Unknown: "unknown", 7: "status 7", -1: "status -1",
	} {
		if got := status.String(); got != want {
			t.Errorf("%d is %q, want %q", int(status), got, want)
		}
	}
}
