package protocol

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"scache/scached/cache"
)

// newControlPeer is an administrator.
func newControlPeer(t *testing.T) *peer {
	p := newPeer(t, "3.6", false)
	p.service.Control = true
	p.output()
	return p
}

// ask makes a request, and returns the attributes of its answer.
func (p *peer) ask(request string) (attributes []Attribute) {
	p.Helper()
	answer := p.send(request)
	words := strings.Split(strings.TrimSuffix(answer, "\x00\x00"), "\x00")
	if len(words)%2 != 0 || len(answer) > MaxAnswer {
		p.Fatalf("an answer of %d bytes: %q", len(answer), answer)
	}
	for i := 0; i < len(words); i += 2 {
		attributes = append(attributes, Attribute{words[i], words[i+1]})
	}
	return attributes
}

func value(attributes []Attribute, name string) string {
	for _, a := range attributes {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

// save puts things into the cache, each in the words of the script language.
func (p *peer) save(lines ...string) {
	p.Helper()
	for _, line := range lines {
		words := strings.Fields(line)
		for i := range words {
			words[i] = strings.ReplaceAll(words[i], "|", "\n")
		}
		want, got := done, ""
		if words[0] == "endp" {
			p.send(list("request", "save_endp", "ttl", "2", "label", words[1], "property", words[2]))
			fd, _ := strconv.Atoi(words[3])
			got = p.receive(fd)
		} else {
			got = p.send(list("request", "save_dest", "ttl", "2", "label", words[1], "property", words[2], "label", words[3]))
		}
		p.want(line, got, want)
	}
}

// pages asks for a listing until it ends, and returns the values of a name.
func (p *peer) pages(name string, count int, what, transport, destination, endpoint, match string) (values []string) {
	p.Helper()
	for cursor, calls := "", 0; calls == 0 || cursor != ""; calls++ {
		answer := p.ask(list("request", "scached_list", "what", what, "transport", transport, "destination", destination,
			"endpoint", endpoint, "match", match, "cursor", cursor, "count", strconv.Itoa(count)))
		if value(answer, "status") != "0" || calls > 1000 {
			p.Fatalf("answer %v", answer)
		}
		n := 0
		for _, a := range answer {
			if a.Name == name {
				values = append(values, a.Value)
				n++
			}
		}
		if value(answer, "entries") != strconv.Itoa(n) || n > count {
			p.Fatalf("%d entries, asked for %d: %v", n, count, answer)
		}
		cursor = value(answer, "cursor")
	}
	return values
}

var somethings = []string{
	"endp smtp|192.0.2.1|25| p1 1", "endp smtp|192.0.2.2|25| p2 2", "endp relay|192.0.2.1|25| p3 3", "endp old:192.0.2.1 p4 4",
	"dest smtp|example.com| q1 smtp|192.0.2.1|25|", "dest smtp|example.org| q2 smtp|192.0.2.2|25|",
	"dest smtp|example.com| q3 smtp|192.0.2.2|25|", "dest relay|example.com| q4 relay|192.0.2.1|25|",
}

// filters are who is meant, and which of the properties above that is.
var filters = []struct {
	name                             string
	transport, destination, endpoint string
	match                            string
	sessions, bindings               string // in a listing
	flushed                          string // of both
}{
	{"all", "", "", "", "exact", "p1 p2 p3 p4", "q1 q2 q3 q4", "p1 p2 p3 p4 q1 q2 q3 q4"},
	{"a transport", "relay", "", "", "exact", "p3", "q4", "p3 q4"},
	{"part of its name", "rel", "", "", "exact", "", "", ""},
	{"part of its name, as a prefix", "rel", "", "", "prefix", "p3", "q4", "p3 q4"},
	{"what has no transport", "other", "", "", "exact", "p4", "", "p4"},
	{"an endpoint", "", "", "192.0.2.1", "exact", "p1 p3", "q1 q4", "p1 p3 q1 q4"},
	{"a network", "", "", "192.0.2.", "prefix", "p1 p2 p3", "q1 q2 q3 q4", "p1 p2 p3 q1 q2 q3 q4"},
	{"an endpoint of a transport", "smtp", "", "192.0.2.1", "exact", "p1", "q1", "p1 q1"},
	{"a label without fields", "", "", "old:192.0.2.1", "exact", "p4", "", "p4"},
	{"a transport is no endpoint", "", "", "smtp", "exact", "", "", ""},
	{"a destination", "", "example.com", "", "exact", "-", "q1 q3 q4", "p1 p2 p3 q1 q3 q4"},
	{"a destination and its transport", "relay", "example.com", "", "exact", "-", "q4", "p3 q4"},
	{"a destination and an endpoint", "", "example.com", "192.0.2.2", "exact", "-", "q3", "p2 q3"},
	{"destinations", "", "example.", "", "prefix", "-", "q1 q2 q3 q4", "p1 p2 p3 q1 q2 q3 q4"},
	{"unknown", "", "example.net", "", "exact", "-", "", ""},
}

func TestList(t *testing.T) {
	for _, test := range filters {
		for _, count := range []int{1, 2, 100} {
			t.Run(test.name, func(t *testing.T) {
				p := newControlPeer(t)
				p.save(somethings...)
				for what, want := range map[string]string{WhatSessions: test.sessions, WhatBindings: test.bindings} {
					if want != "-" {
						got := p.pages("property", count, what, test.transport, test.destination, test.endpoint, test.match)
						p.want(what, strings.Join(got, " "), want)
					}
				}
				p.want("log", strings.Join(p.log, "\n"), "")
			})
		}
	}
}

func TestEntries(t *testing.T) {
	p := newControlPeer(t)
	p.service.Live = func(fd int) bool { return fd != 2 }
	p.service.NameSpaces = []NameSpace{{"relay", "smtp"}}
	p.save("endp smtp|a| p 1", "dest relay|d| q relay|a|", "endp relay|a| "+strings.Repeat("x", MaxText+1)+" 2")
	p.service.Cache.Expire(p.service.Cache.Now() + 1)
	request := func(what string) string {
		return list("request", "scached_list", "what", what, "transport", "", "destination", "", "endpoint", "", "match", "exact", "cursor", "", "count", "9")
	}
	want := []Attribute{{"status", "0"}, {"cursor", ""}, {"entries", "2"},
		{"sequence", "1"}, {"transport", "smtp"}, {"label", "smtp\na\n"}, {"property", "p"}, {"age", "1"}, {"left", "1"}, {"size", "8"}, {"alive", "1"},
		{"sequence", "3"}, {"transport", "relay"}, {"label", "smtp\na\n"}, {"property", strings.Repeat("x", MaxText)},
		{"age", "1"}, {"left", "1"}, {"size", strconv.Itoa(7 + MaxText + 1)}, {"alive", "0"}}
	p.want("sessions", cmp.Diff(want, p.ask(request(WhatSessions))), "")
	want = []Attribute{{"status", "0"}, {"cursor", ""}, {"entries", "1"},
		{"sequence", "2"}, {"transport", "relay"}, {"label", "smtp\nd\n"}, {"property", "q"}, {"endpoint", "smtp\na\n"},
		{"age", "1"}, {"left", "1"}, {"size", "15"}}
	p.want("bindings", cmp.Diff(want, p.ask(request(WhatBindings))), "")
	if hits, misses := p.service.Counters.Endpoint.Hits, p.service.Counters.Endpoint.missed(); hits+misses > 0 {
		t.Error("a listing counts as a lookup")
	}
}

func TestFlush(t *testing.T) {
	for _, test := range filters {
		t.Run(test.name, func(t *testing.T) {
			p := newControlPeer(t)
			p.save(somethings...)
			sessions, bindings := p.flushAll(test.transport, test.destination, test.endpoint, test.match)
			gone := strings.Fields(test.flushed)
			var left []string
			for _, property := range strings.Fields("p1 p2 p3 p4 q1 q2 q3 q4") {
				if !slices.Contains(gone, property) {
					left = append(left, property)
				}
			}
			got := append(p.pages("property", 100, WhatSessions, "", "", "", "exact"), p.pages("property", 100, WhatBindings, "", "", "", "exact")...)
			p.want("left", strings.Join(got, " "), strings.Join(left, " "))
			if sessions+bindings != len(gone) || sessions != len(p.closed) || p.service.Counters.SessionsClosed[cache.Flushed] != uint64(sessions) {
				t.Errorf("%d sessions and %d bindings were flushed, %v were closed, want %v", sessions, bindings, p.closed, gone)
			}
		})
	}
}

func (p *peer) flushAll(transport, destination, endpoint, match string) (sessions, bindings int) {
	p.Helper()
	for cursor, calls := "", 0; calls == 0 || cursor != ""; calls++ {
		answer := p.ask(list("request", "scached_flush", "transport", transport, "destination", destination,
			"endpoint", endpoint, "match", match, "cursor", cursor))
		n, err := strconv.Atoi(value(answer, "sessions"))
		m, err2 := strconv.Atoi(value(answer, "bindings"))
		if err != nil || err2 != nil || calls > 1000 {
			p.Fatalf("answer %v", answer)
		}
		sessions, bindings, cursor = sessions+n, bindings+m, value(answer, "cursor")
	}
	return sessions, bindings
}

// A session or binding that stays is listed exactly once, whatever other clients
// do between two pages.
func TestListWhileOthersWork(t *testing.T) {
	p := newControlPeer(t)
	random := rand.New(rand.NewPCG(1, 2))
	fd := 0
	for range 5000 {
		fd++
		p.service.Cache.SaveEndpoint(2, fmt.Appendf(nil, "smtp\n192.0.2.%d\n25\n", random.IntN(200)), nil, fd)
	}
	listed := map[string]int{}
	kept := map[string]bool{}
	for _, sequence := range p.pages("sequence", 100, WhatSessions, "", "", "", "exact") {
		kept[sequence] = true
	}
	for cursor, first := "", true; first || cursor != ""; first = false {
		answer := p.ask(list("request", "scached_list", "what", "sessions", "transport", "smtp", "destination", "",
			"endpoint", "", "match", "exact", "cursor", cursor, "count", "100"))
		for _, a := range answer {
			if a.Name == "sequence" {
				listed[a.Value]++
			}
		}
		cursor = value(answer, "cursor")
		for range 30 {
			p.service.Cache.FindEndpoint(fmt.Appendf(nil, "smtp\n192.0.2.%d\n25\n", random.IntN(200)))
			fd++
			p.service.Cache.SaveEndpoint(2, []byte("smtp\nnew\n25\n"), nil, fd)
		}
	}
	for _, sequence := range p.pages("sequence", 100, WhatSessions, "", "", "", "exact") {
		if kept[sequence] && listed[sequence] != 1 {
			t.Errorf("session %s stayed, and was listed %d times", sequence, listed[sequence])
		}
	}
}

// What one request does is bounded, also when nothing matches and labels are
// long: it looks at a part of the cache, and says where to go on.
func TestControlIsBounded(t *testing.T) {
	p := newControlPeer(t)
	for i := range 3000 {
		p.service.Cache.SaveEndpoint(2, fmt.Appendf(nil, "smtp\n%d\n", i), nil, i)
	}
	long := strings.Repeat("x\n", 32_000)
	for i := range 100 {
		p.service.Cache.SaveDestination(2, fmt.Appendf(nil, "%s%d", long, i), nil, []byte("e"))
	}
	for _, test := range []struct{ what, transport, destination string }{
		{WhatSessions, "nobody", ""}, {WhatBindings, "", "nobody"}, {WhatBindings, "", ""},
	} {
		longest, pages := time.Hour, 0 // of the best of some rounds, since others use the machine
		for range 5 {
			round := time.Duration(0)
			pages = 0
			for cursor, first := "", true; first || cursor != ""; first = false {
				request := list("request", "scached_list", "what", test.what, "transport", test.transport, "destination", test.destination,
					"endpoint", "", "match", "exact", "cursor", cursor, "count", "100")
				start := time.Now()
				answer := p.ask(request)
				round = max(round, time.Since(start))
				cursor = value(answer, "cursor")
				pages++
			}
			longest = min(longest, round)
		}
		t.Logf("%v: %d pages, the longest %v", test, pages, longest)
		if pages < 3 || longest > 5*time.Millisecond {
			t.Errorf("%v: %d pages, the longest %v", test, pages, longest)
		}
	}
}

func TestStatus(t *testing.T) {
	p := newControlPeer(t)
	p.service.About = func() []Attribute { return []Attribute{{"version", "1.2"}} }
	p.service.Live = func(fd int) bool { return fd != 7 }
	p.save("endp smtp|a| p 7", "endp smtp|a| p 8", "dest smtp|d| q smtp|a|", "dest smtp|d| q smtp|a|", "endp b p 9")
	find := func(request, label string) string {
		return p.send(list("request", request, "label", strings.ReplaceAll(label, "|", "\n")))
	}
	find("find_dest", "smtp|d|") // 7 is dead, 8 is found
	p.send(dummy)
	p.send(dummy)
	find("find_dest", "smtp|d|") // nothing is left
	find("find_dest", "smtp|e|")
	find("find_endp", "smtp|a|")
	p.send(list("request", "bogus"))
	p.service.Cache.Expire(p.service.Cache.Now() + 2)
	answer := p.ask(list("request", "scached_status"))
	for name, want := range map[string]string{
		"status": "0", "version": "1.2", "dialect": "3.6", "start_time_seconds": "1000",
		`lookups_total{kind="destination",result="hit"}`: "1", `lookups_total{kind="destination",result="miss"}`: "2",
		`lookups_total{kind="endpoint",result="hit"}`: "0", `lookups_total{kind="endpoint",result="miss"}`: "1",
		`lookup_misses_total{kind="destination",reason="unknown"}`: "1", `lookup_misses_total{kind="destination",reason="no_session"}`: "1",
		`saves_total{kind="session"}`: "3", `saves_total{kind="binding"}`: "1", `saves_total{kind="refresh"}`: "1",
		`handovers_total{result="done"}`: "1", `handovers_total{result="failed"}`: "0",
		`sessions_closed_total{reason="expired"}`: "1", `sessions_closed_total{reason="dead"}`: "1",
		`requests_total{request="save_endp",status="0"}`: "3", `requests_total{request="find_dest",status="0"}`: "1",
		`requests_total{request="find_dest",status="2"}`: "2", `requests_total{request="unknown",status="1"}`: "1",
		"sessions": "0", "bindings": "0",
		`session_age_seconds_bucket{end="hit",le="0"}`: "1", `session_age_seconds_count{end="expired"}`: "1",
		`session_age_seconds_bucket{end="expired",le="1"}`: "0", `session_age_seconds_bucket{end="expired",le="2"}`: "1",
		`session_age_seconds_bucket{end="expired",le="+Inf"}`: "1", `session_age_seconds_sum{end="expired"}`: "2",
		`transport_lookups_total{transport="smtp",result="hit"}`: "1", `transport_lookups_total{transport="smtp",result="miss"}`: "3",
		`transport_saves_total{transport="smtp"}`: "2", `transport_saves_total{transport="other"}`: "1",
		`transport_sessions{transport="smtp"}`: "0", `transport_sessions{transport="other"}`: "0",
		`limit{name="scached_session_limit"}`: "0", `given_up_total{limit="scached_session_limit"}`: "0",
	} {
		if got := value(answer, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	names := map[string]bool{}
	for _, a := range answer {
		if names[a.Name] {
			t.Errorf("%s is there twice", a.Name)
		}
		names[a.Name] = true
	}
	p.service.ReportStatistics(time.Unix(2000, 0))
	p.want("statistics", strings.Join(p.log[len(p.log)-3:], "\n"), `statistics: domain lookup hits=1 miss=2 success=33%
statistics: address lookup hits=0 miss=1 success=0%
statistics: max simultaneous domains=1 addresses=2 connection=3`)
}

func TestControlRefused(t *testing.T) {
	p := newControlPeer(t)
	for _, test := range []struct{ name, request, log string }{
		{"no match", list("request", "scached_flush", "transport", "", "destination", "", "endpoint", "", "match", "", "cursor", ""), "scached_flush"},
		{"cursor", list("request", "scached_flush", "transport", "", "destination", "", "endpoint", "", "match", "exact", "cursor", "x1"), "scached_flush"},
		{"parameters are missing", list("request", "scached_list"), "scached_list"},
		{"what", list("request", "scached_list", "what", "all", "transport", "", "destination", "", "endpoint", "", "match", "exact", "cursor", "", "count", "1"), "scached_list"},
		{"a destination of sessions", list("request", "scached_list", "what", "sessions", "transport", "", "destination", "d", "endpoint", "", "match", "exact", "cursor", "", "count", "1"), "scached_list"},
		{"the other kind's cursor", list("request", "scached_list", "what", "sessions", "transport", "", "destination", "", "endpoint", "", "match", "exact", "cursor", "b1", "count", "1"), "scached_list"},
		{"count", list("request", "scached_list", "what", "sessions", "transport", "", "destination", "", "endpoint", "", "match", "exact", "cursor", "", "count", "0"), "scached_list"},
	} {
		p.log = nil
		p.want(test.name, p.send(test.request), list("status", "1"))
		p.want(test.name+": log", p.log[len(p.log)-1], "warning: "+test.log+": bad or missing request parameter")
	}
	p.service.Control = false
	for _, name := range []string{RequestStatus, RequestList, RequestFlush} {
		p.log = nil
		p.want("without control", p.send(list("request", name)), list("status", "1"))
		p.want("log", strings.Join(p.log, "\n"), `warning: unrecognized request: "`+name+`", ignored`)
	}
}
