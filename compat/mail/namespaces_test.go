package mail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"scache/compat/master"
	"scache/compat/postfix"
	"scache/compat/testbed"
	"scache/scached/control"
	"scache/scached/operator"
)

// Two transports, smtp and relay as Postfix's own master.cf has them, and one
// server. A session that one of them has saved serves the other one where they
// share a name space, and never where they do not.
func TestNameSpaces(t *testing.T) {
	const shared = "scached_name_spaces=relay=smtp"
	for _, test := range []struct {
		name          string
		first, second string // transports
		reference     bool
		args          []string
		saved         string // how a list names what the first has saved
		connections   int
	}{
		{"relay saves, smtp finds", "relay", "smtp", false, []string{"-o", shared}, "relay in smtp", 1},
		{"smtp saves, relay finds", "smtp", "relay", false, []string{"-o", shared}, "smtp", 1},
		{"relay saves, without name spaces", "relay", "smtp", false, nil, "relay", 2},
		{"smtp saves, without name spaces", "smtp", "relay", false, nil, "smtp", 2},
		{"relay saves, another name space", "relay", "smtp", false, []string{"-o", "scached_name_spaces=relay=other"}, "relay in other", 2},
		{"relay saves, the reference", "relay", "smtp", true, nil, "", 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			testbed.Reference(t)
			cache := ""
			if !test.reference {
				cache = testbed.Scached(t)
			}
			result, err := Delivery{
				Postfix: postfix.Options{Cache: cache, CacheArgs: test.args},
				Mail: Injection{Messages: 2, Senders: 1, To: func(i int) string {
					return "user@" + []string{test.first, test.second}[i] + ".example"
				}},
				Configure: func(o *postfix.Options, sink *Sink) {
					o.Main = append([]string{
						fmt.Sprintf("transport_maps = inline:{{smtp.example = smtp:%[1]s}, {relay.example = relay:%[1]s}}", sink.NextHop()),
						// Long enough for a busy machine.
						"connection_cache_ttl_limit = 1m", "smtp_connection_cache_time_limit = 1m",
					}, byDestination...)
				},
				// The second message comes when the first has left a session in the cache.
				Held: 1,
				During: func(ctx context.Context, p *postfix.Instance, _ *Sink) error {
					if !master.WaitUntil(deliveryPatience, func() bool { return p.Tally().Sent > 0 }) {
						return errors.New("nothing was delivered")
					}
					if !master.WaitUntil(deliveryPatience, func() bool { return len(cachedTCP(t, p)) > 0 }) {
						return errors.New("no session was saved")
					}
					if test.reference {
						return nil
					}
					var text strings.Builder
					if err := listSessions(ctx, p.CacheSocket(), &text); err != nil {
						return err
					}
					if !strings.Contains(text.String(), "\n"+test.saved+" ") {
						t.Errorf("listed, and not as %q:\n%s", test.saved, text.String())
					}
					return nil
				},
			}.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if result.Connections != test.connections || result.Delivered != 2 {
				t.Errorf("%d messages came over %d connections, want 2 over %d", result.Delivered, result.Connections, test.connections)
			}
			reused := 0
			for _, line := range result.Lines {
				if strings.Contains(line.Text, ", conn_use=2, ") && deliveredBy(line.Tag) == test.second {
					reused++
				}
			}
			if want := 2 - test.connections; reused != want || result.Reused != want {
				t.Errorf("%d deliveries of %s over a session used before, and %d of all, want %d", reused, test.second, result.Reused, want)
			}
			if t.Failed() {
				t.Log("log:\n" + master.RawLines(result.Lines))
			}
		})
	}
}

// deliveredBy is the transport that a line of the log is from: relay has
// syslog_name = ${multi_instance_name?{$multi_instance_name}:{postfix}}/$service_name.
func deliveredBy(tag string) string {
	if strings.HasSuffix(tag, "/relay/smtp") {
		return "relay"
	}
	return "smtp"
}

// listSessions writes what "scachectl list" shows.
func listSessions(ctx context.Context, socket string, to io.Writer) error {
	list, err := operator.Sessions(ctx, &control.Client{Path: socket, Timeout: patience}, control.Filter{})
	if err != nil {
		return err
	}
	return operator.WriteSessions(to, list, 0)
}
