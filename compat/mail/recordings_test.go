package mail

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"scache/compat/master"
	"scache/compat/postfix"
	"scache/compat/testbed"
	"scache/scached/install"
)

var updateRecordings = flag.Bool("update-recordings", false, "record the mail of a private Postfix into testdata/recordings")

// recordings are what testdata/recordings has: mail of one kind each.
var recordings = []struct {
	name     string
	mail     Injection
	tls      bool
	main     []string
	services []string
	reload   bool
}{
	{name: "plain", mail: Injection{Messages: 40, Senders: 3}, main: []string{"smtp_connection_cache_destinations = static:all"}},
	{name: "on_demand", mail: Injection{Messages: 60, Senders: 5}},
	{name: "tls", mail: Injection{Messages: 40, Senders: 3}, tls: true,
		main:     []string{"smtp_connection_cache_destinations = static:all", "smtp_tls_security_level = encrypt", "smtp_tls_connection_reuse = yes"},
		services: []string{"tlsproxy unix - - y - 0 tlsproxy"}},
	{name: "two_transports", mail: Injection{Messages: 40, Senders: 3, To: func(i int) string { return fmt.Sprintf("user@dest%d.example", i%2) }},
		main:     []string{"smtp_connection_cache_destinations = static:all", "other_destination_recipient_limit = 1"},
		services: []string{"other unix - - y - - smtp -o syslog_name=postfix/other"}},
	{name: "burst", mail: Injection{Messages: 120, Senders: 10}, main: []string{"smtp_connection_cache_destinations = static:all"}},
	{name: "reload", mail: Injection{Messages: 60, Senders: 3, Pace: 30}, main: []string{"smtp_connection_cache_destinations = static:all"}, reload: true},
}

// TestRecordings renews the recordings with -update-recordings, and otherwise looks
// at what they say.
func TestRecordings(t *testing.T) {
	for _, r := range recordings {
		t.Run(r.name, func(t *testing.T) {
			path := filepath.Join("../../testdata/recordings", r.name+".recording")
			if *updateRecordings {
				d := Delivery{
					Postfix: postfix.Options{Main: r.main, Master: r.services},
					Sink:    SinkOptions{TLS: r.tls},
					Mail:    r.mail, Held: r.mail.Messages - 1,
				}
				if r.name == "two_transports" {
					d.Configure = func(o *postfix.Options, sink *Sink) {
						o.Main = append(o.Main, "relayhost = "+sink.NextHop(),
							"transport_maps = inline:{{dest1.example=other:"+sink.NextHop()+"}}")
					}
				}
				d.During = func(ctx context.Context, p *postfix.Instance, _ *Sink) error {
					return tap(ctx, testbed.Scachetap(t), p, nil)
				}
				if r.reload {
					d.Held = 0
					d.Mail.Messages++
					d.During = func(ctx context.Context, p *postfix.Instance, sink *Sink) error {
						if err := tap(ctx, testbed.Scachetap(t), p, nil); err != nil {
							return err
						}
						if err := sink.Wait(20, deliveryPatience); err != nil {
							return err
						}
						return p.Reload(ctx)
					}
				}
				d.After = func(ctx context.Context, p *postfix.Instance, _ *Sink) error {
					time.Sleep(3 * time.Second) // for what expires, and what smtp(8) says when it leaves
					if _, err := install.TapRemove(install.Options{ConfigDir: p.ConfigDir(), Out: os.Stderr}); err != nil {
						return err
					}
					if err := p.Reload(ctx); err != nil {
						return err
					}
					if !master.WaitUntil(patience, func() bool { return tapProcess(p) == 0 }) {
						t.Log("the tap goes on")
					}
					data, err := os.ReadFile(recordingOf(p))
					if err != nil {
						return err
					}
					return os.WriteFile(path, data, 0o644)
				}
				if _, err := d.Run(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			text := string(data)
			for _, word := range []string{"127.", "dest.example", "sender@", "origin"} {
				if strings.Contains(text, word) {
					t.Errorf("%q is in the recording", word)
				}
			}
			if hits := strings.Count(text, `"recv_fds":[`); hits < 5 {
				t.Errorf("%d sessions are handed out", hits)
			}
		})
	}
}
