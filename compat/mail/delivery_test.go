package mail

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"scache/compat/master"
	"scache/compat/postfix"
	"scache/compat/testbed"
)

// A scenario is mail that has to get through the same way with our daemon as
// with the reference.
type scenario struct {
	name     string
	delivery func(t *testing.T) Delivery
	check    func(t *testing.T, r *Result)
	// allowed is the part of a warning that belongs to the scenario.
	allowed []string
	// excused tells whether smtp(8) may complain of a cache program, empty for
	// the reference, at that time. If nil, it never may.
	excused func(r *Result, program string, at time.Time) bool
	// share is the least that our share of reused deliveries may be, as a
	// fraction of the reference's; 0 does not compare.
	share float64
}

func TestDelivery(t *testing.T) {
	for _, s := range []scenario{
		destinationsScenario,
		onDemandScenario,
		refusingAddressScenario,
		twoTransportsScenario,
		tlsScenario,
		reloadScenario,
		killScenario,
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			want := s.run(t, "")
			got := s.run(t, testbed.Scached(t))
			t.Logf("reference: %d connections, %d of %d deliveries reused; ours: %d, %d of %d",
				want.Connections, want.Reused, want.Sent, got.Connections, got.Reused, got.Sent)
			if got.ReusedShare() < s.share*want.ReusedShare() {
				t.Errorf("share of reused deliveries: %.3f, want %v of the reference's %.3f", got.ReusedShare(), s.share, want.ReusedShare())
			}
		})
	}
}

// run delivers with one cache program, and checks what holds for both.
// clockTrouble is what cleanup(8) says where the clock of the file system, which
// is a coarse one, is in another second than time(2). It does not concern us.
var clockTrouble = []string{"file system clock is", "resetting file time stamps"}

func (s scenario) run(t *testing.T, program string) *Result {
	t.Helper()
	testbed.Reference(t)
	d := s.delivery(t)
	d.Postfix.Cache = program
	name := "reference"
	if program != "" {
		name = "ours"
	}
	r, err := d.Run(t.Context())
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if len(r.Lost)+len(r.Duplicates)+len(r.Unexpected) > 0 || r.Delivered != d.Mail.Messages {
		t.Errorf("%s: delivered %d of %d; lost %q, more than once %q, unexpected %q", name, r.Delivered, d.Mail.Messages, r.Lost, r.Duplicates, r.Unexpected)
	}
	if r.Unsent > 0 {
		t.Errorf("%s: %d deliveries deferred or bounced", name, r.Unsent)
	}
	for _, line := range r.Problems {
		if s.excused == nil || !s.excused(r, program, line.At) {
			t.Errorf("%s: smtp(8) complains of the cache at %v: %s", name, line.At, line.Raw)
		}
	}
	if unexpected := r.UnexpectedWarnings(slices.Concat(postfix.CacheProblems, clockTrouble, s.allowed)...); len(unexpected) > 0 {
		t.Errorf("%s: unexpected warnings:\n%s", name, master.RawLines(unexpected))
	}
	if s.check != nil {
		s.check(t, r)
	}
	if t.Failed() {
		t.Logf("%s: log:\n%s", name, master.RawLines(r.Lines))
	}
	return r
}

func count(lines []master.LogLine, substr string) int {
	n := 0
	for _, line := range lines {
		if strings.Contains(line.Raw, substr) {
			n++
		}
	}
	return n
}

// Caching for a destination that main.cf names.
var byDestination = []string{
	"smtp_connection_cache_on_demand = no",
	"smtp_connection_cache_destinations = static:all",
}

var destinationsScenario = scenario{
	name:  "destinations",
	share: 0.95,
	delivery: func(t *testing.T) Delivery {
		return Delivery{
			Postfix: postfix.Options{Main: []string{
				"smtp_connection_cache_on_demand = no",
				"smtp_connection_cache_destinations = 127.0.0.1",
			}},
			Mail: Injection{Messages: 300, Senders: 5},
			After: func(ctx context.Context, p *postfix.Instance, sink *Sink) error {
				if cached := cachedTCP(t, p); len(cached) == 0 {
					t.Error("the cache holds no TCP socket right after the last delivery")
				}
				return Statistics(ctx, p, sink)
			},
		}
	},
	check: func(t *testing.T, r *Result) {
		if r.Connections > 60 {
			t.Errorf("%d connections for %d messages", r.Connections, r.Delivered)
		}
		if reused := r.Delivered - r.Connections; r.Reused != reused {
			t.Errorf("smtp reports %d reused deliveries, the sink %d", r.Reused, reused)
		}
		checkStatistics(t, r.Statistics)
	},
}

var statisticsForm = []*regexp.Regexp{
	regexp.MustCompile(`^start interval [A-Z][a-z]{2} [ 123][0-9] [0-9:]{8}$`),
	regexp.MustCompile(`^domain lookup hits=([0-9]+) miss=([0-9]+) success=([0-9]+)%$`),
	regexp.MustCompile(`^address lookup hits=([0-9]+) miss=([0-9]+) success=([0-9]+)%$`),
	regexp.MustCompile(`^max simultaneous domains=1 addresses=1 connection=([0-9]+)$`),
}

func checkStatistics(t *testing.T, lines []string) {
	t.Helper()
	if len(lines) < len(statisticsForm) {
		t.Errorf("statistics: %q, want %d lines", lines, len(statisticsForm))
		return
	}
	for i, form := range statisticsForm {
		groups := form.FindStringSubmatch(lines[i])
		if groups == nil {
			t.Errorf("statistics: line %q does not match %v", lines[i], form)
			continue
		}
		if len(groups) == 4 {
			hits, _ := strconv.Atoi(groups[1])
			misses, _ := strconv.Atoi(groups[2])
			if want := strconv.Itoa(100 * hits / max(hits+misses, 1)); groups[3] != want {
				t.Errorf("statistics: line %q, want %s%%", lines[i], want)
			}
		}
	}
}

var onDemandScenario = scenario{
	name: "on demand",
	delivery: func(t *testing.T) Delivery {
		return Delivery{
			Postfix: postfix.Options{Main: []string{
				"smtp_connection_cache_on_demand = yes",
				// A backlog is what makes qmgr(8) ask for caching.
				"default_destination_concurrency_limit = 3",
			}},
			Sink:  SinkOptions{Delay: 10 * time.Millisecond},
			Mail:  Injection{Messages: 300, Senders: 5},
			After: Statistics,
		}
	},
	check: func(t *testing.T, r *Result) {
		if r.Connections > 60 || r.Reused < 240 {
			t.Errorf("%d connections, %d reused deliveries for %d messages", r.Connections, r.Reused, r.Delivered)
		}
	},
}

// A name with two addresses, one of which refuses connections. The SMTP session
// that is cached under the name spares smtp(8) the dead one.
var refusingAddressScenario = scenario{
	name: "refusing address",
	// The jail's hosts file is deliberately not the system's.
	allowed: []string{"etc/hosts differ", "etc/host.conf differ"},
	delivery: func(t *testing.T) Delivery {
		alive, dead := postfix.PrivateLoopback(), postfix.PrivateLoopback()
		return Delivery{
			Sink: SinkOptions{Host: alive.String()},
			Mail: Injection{Messages: 200, Senders: 5},
			Configure: func(o *postfix.Options, sink *Sink) {
				port := sink.Addr().Port()
				if conn, err := net.Dial("tcp4", netip.AddrPortFrom(dead, port).String()); err == nil {
					conn.Close()
					t.Errorf("%v port %d does not refuse connections", dead, port)
				}
				o.Hosts = []string{dead.String() + " mx.dest.example", alive.String() + " mx.dest.example"}
				o.Main = append([]string{fmt.Sprintf("relayhost = [mx.dest.example]:%d", port)}, byDestination...)
			},
			After: Statistics,
		}
	},
	check: func(t *testing.T, r *Result) {
		refused := count(r.Lines, "Connection refused")
		if refused == 0 {
			t.Error("no connection was refused: the dead address was not tried")
		}
		// Without the binding of the name, every other delivery would try it.
		if refused > 40 {
			t.Errorf("%d connections refused for %d messages", refused, r.Delivered)
		}
		if r.Connections > 60 {
			t.Errorf("%d connections for %d messages", r.Connections, r.Delivered)
		}
		hits := 0
		for _, line := range r.Statistics {
			fmt.Sscanf(line, "domain lookup hits=%d", &hits)
		}
		if hits < r.Delivered/2 {
			t.Errorf("%d hits by destination in %q", hits, r.Statistics)
		}
	},
}

const (
	firstBind  = "127.0.0.21"
	secondBind = "127.0.0.22"
)

var twoTransportsScenario = scenario{
	name: "two transports",
	delivery: func(t *testing.T) Delivery {
		return Delivery{
			Mail: Injection{Messages: 300, Senders: 5, To: func(i int) string {
				return []string{"user@first.example", "user@second.example"}[i%2]
			}},
			Configure: func(o *postfix.Options, sink *Sink) {
				o.Main = append([]string{
					"smtp_bind_address = " + firstBind,
					fmt.Sprintf("transport_maps = inline:{{first.example = smtp:%[1]s}, {second.example = other:%[1]s}}", sink.NextHop()),
				}, byDestination...)
				o.Master = []string{"other unix - - y - - smtp -o smtp_bind_address=" + secondBind}
			},
		}
	},
	check: func(t *testing.T, r *Result) {
		want := map[string]string{firstBind: "user@first.example", secondBind: "user@second.example"}
		reused := map[string]int{}
		for i, session := range r.Sessions {
			peer := session.Peer.Addr().String()
			for _, message := range session.Messages {
				if diff := cmp.Diff([]string{want[peer]}, message.Recipients); diff != "" {
					t.Errorf("session %d from %s carried mail of the other transport (-want +got):\n%s", i, peer, diff)
				}
			}
			if len(session.Messages) > 1 {
				reused[peer]++
			}
		}
		if reused[firstBind] == 0 || reused[secondBind] == 0 {
			t.Errorf("sessions used more than once, by transport: %v", reused)
		}
	},
}

var tlsScenario = scenario{
	name: "tls",
	// What tlsproxy(8) says of the side of TLS that is not wanted here.
	allowed: []string{"TLS server role is disabled"},
	delivery: func(t *testing.T) Delivery {
		return Delivery{
			Postfix: postfix.Options{
				Main: append([]string{
					"smtp_tls_security_level = encrypt",
					"smtp_tls_connection_reuse = yes",
					"smtp_tls_loglevel = 1",
				}, byDestination...),
				Master: []string{"tlsproxy unix - - y - 0 tlsproxy"},
			},
			Sink: SinkOptions{TLS: true},
			Mail: Injection{Messages: 200, Senders: 5},
			After: func(ctx context.Context, p *postfix.Instance, sink *Sink) error {
				if cached := cachedTCP(t, p); len(cached) > 0 {
					t.Errorf("the cache holds TCP sockets, not tlsproxy's: %v", cached)
				}
				return Statistics(ctx, p, sink)
			},
		}
	},
	check: func(t *testing.T, r *Result) {
		for i, session := range r.Sessions {
			if !session.TLS && len(session.Messages) > 0 {
				t.Errorf("session %d: mail without TLS", i)
			}
		}
		if r.Connections > 60 || r.Reused < 100 {
			t.Errorf("%d connections, %d reused deliveries for %d messages", r.Connections, r.Reused, r.Delivered)
		}
		if n := count(r.Lines, "TLS connection reused to "); n != r.Reused {
			t.Errorf("smtp reports %d reused TLS connections for %d reused deliveries", n, r.Reused)
		}
	},
}

// cachedTCP returns the cache daemon's descriptors that are TCP sockets. It is
// called right after a delivery, when the last sessions are still cached.
func cachedTCP(t *testing.T, p *postfix.Instance) []int {
	t.Helper()
	pid, err := p.WaitCache(0, patience)
	if err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/tcp", pid))
	if err != nil {
		t.Fatal(err)
	}
	links, err := master.Descriptors(pid)
	if err != nil {
		t.Fatal(err)
	}
	var found []int
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line)
		for fd, link := range links {
			if len(fields) > 9 && link == "socket:["+fields[9]+"]" {
				found = append(found, fd)
			}
		}
	}
	return found
}
