package protocol

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// A peer is a client's connection with everything that a server would do for
// it, less the system calls.
type peer struct {
	*testing.T
	service *Service
	conn    Conn
	action  Action
	log     []string
	closed  []int
	sent    []int
}

func (p *peer) Info(text string)    { p.log = append(p.log, text) }
func (p *peer) Warning(text string) { p.log = append(p.log, "warning: "+text) }

func newPeer(t *testing.T, version string, duplex bool) *peer {
	dialect, ok := FindDialect(version)
	if !ok {
		t.Fatalf("no dialect %s", version)
	}
	p := &peer{T: t}
	p.service = NewService(Config{Name: "scache", Dialect: dialect, TTLLimit: 2, StringLimit: 1 << 16, Log: p,
		Close: func(fd int) { p.closed = append(p.closed, fd) }, Now: 1000}, time.Unix(1000, 0))
	p.conn.Open(p.service, duplex)
	return p
}

// list writes an attribute list in the null encoding.
func list(words ...string) string { return strings.Join(words, "\x00") + "\x00\x00" }

// output takes what the connection has to say.
func (p *peer) output() string {
	out := string(p.conn.Output())
	p.conn.Written(len(out))
	return out
}

// send gives the connection input, and carries out sends; it returns what the
// client gets, with a descriptor shown as <fd>.
func (p *peer) send(data string, descriptors ...int) string {
	p.action = p.conn.Input([]byte(data), descriptors)
	return p.settle()
}

func (p *peer) receive(fd int) string {
	p.action = p.conn.Received(fd, nil)
	return p.settle()
}

func (p *peer) settle() string {
	got := p.output()
	if p.action == AwaitRead {
		p.action = p.conn.AnswerRead()
	}
	for p.action == Send {
		p.sent = append(p.sent, p.conn.Session())
		got += "<fd>"
		p.action = p.conn.Sent(nil)
		got += p.output()
	}
	return got
}

func (p *peer) want(what, got, want string) {
	p.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		p.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

var (
	saveEndpoint = list("request", "save_endp", "ttl", "2", "label", "e", "property", "p")
	saveBinding  = list("request", "save_dest", "ttl", "2", "label", "d", "property", "dp", "label", "e")
	findEndpoint = list("request", "find_endp", "label", "e")
	findBinding  = list("request", "find_dest", "label", "d")
	dummy        = list("dummy", "")
	found        = list("status", "0", "property", "p")
	foundBinding = list("status", "0", "property", "dp", "property", "p")
	done         = list("status", "0")
	missed       = list("status", "2", "property", "")
)

func TestDialects(t *testing.T) {
	for _, dialect := range Dialects {
		t.Run(dialect.Version, func(t *testing.T) {
			p := newPeer(t, dialect.Version, false)
			greeting := ""
			if dialect.Version == "3.6" {
				greeting = list("protocol", "connection_cache_protocol")
			}
			p.want("greeting", p.output(), greeting)
			ready := dummy
			if !dialect.Before {
				ready = ""
			}
			for _, look := range []struct{ request, answer string }{{findEndpoint, found}, {findBinding, foundBinding}} {
				p.want("save_dest", p.send(saveBinding), done)
				p.want("save_endp", p.send(saveEndpoint), ready)
				if p.action != Descriptor {
					t.Fatalf("after save_endp: action %d", p.action)
				}
				p.want("descriptor", p.receive(7), done)
				if dialect.Before {
					p.want("find", p.send(look.request), look.answer)
					p.want("ready", p.send(dummy), "<fd>")
				} else {
					p.want("find", p.send(look.request), look.answer+"<fd>")
				}
				if dialect.After {
					if dialect.Greets && len(p.closed) > 0 {
						t.Error("a session was closed before the client said that it had it")
					}
					p.want("received", p.send(dummy), "")
				}
				if !p.conn.Idle() {
					t.Error("not idle after a hand-over")
				}
				p.want("closed", cmp.Diff([]int{7}, p.closed), "")
				p.closed = nil
			}
			p.want("log", strings.Join(p.log, "\n"), "")
		})
	}
}

// TestEarlyDescriptor is about clients that do not wait before they send a
// descriptor, so that it can come with the request.
func TestEarlyDescriptor(t *testing.T) {
	tests := []struct {
		name, version, data string
		descriptors         []int
		want                string
		action              Action
		closed              []int
	}{
		{"with its byte", "20040720", saveEndpoint + "\x00", []int{7}, done, Input, nil},
		{"glued to the request", "20040720", saveEndpoint, []int{7}, "", Descriptor, []int{7}},
		{"with another request", "20040720", saveBinding, []int{7}, done, Input, []int{7}},
		{"in the middle", "20040720", saveEndpoint[:9], []int{7}, "", Input, []int{7}},
		{"two", "20040720", saveEndpoint + "\x00", []int{7, 8}, "", Descriptor, []int{7, 8}},
		{"client that has to wait", "3.6", saveEndpoint + "\x00", []int{7}, dummy, Descriptor, []int{7}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPeer(t, tt.version, false)
			p.output()
			p.want("answer", p.send(tt.data, tt.descriptors...), tt.want)
			if p.action != tt.action {
				t.Errorf("action %d, want %d", p.action, tt.action)
			}
			p.want("closed", cmp.Diff(tt.closed, p.closed), "")
		})
	}
}

// TestSplit sends a conversation in two pieces, cut everywhere, and byte by
// byte: the answers are the same.
func TestSplit(t *testing.T) {
	talk := func(t *testing.T, cut func(string) []string) (got string) {
		p := newPeer(t, "3.6", false)
		for _, message := range []string{saveBinding, saveEndpoint, "fd", findBinding, dummy, dummy + findEndpoint} {
			if message == "fd" {
				got += p.receive(7)
				continue
			}
			for _, piece := range cut(message) {
				got += p.send(piece)
			}
		}
		p.want("log", strings.Join(p.log, "\n"), "")
		return got
	}
	whole := talk(t, func(s string) []string { return []string{s} })
	if !strings.Contains(whole, foundBinding+"<fd>"+missed) {
		t.Fatalf("whole: %q", whole)
	}
	for at := range 60 {
		got := talk(t, func(s string) []string {
			if at >= len(s) {
				return []string{s}
			}
			return []string{s[:at], s[at:]}
		})
		if got != whole {
			t.Errorf("cut at %d: %q, want %q", at, got, whole)
		}
	}
	got := talk(t, func(s string) []string { return strings.Split(s, "") })
	if got != whole {
		t.Errorf("byte by byte: %q, want %q", got, whole)
	}
}

func TestBufferRule(t *testing.T) {
	p := newPeer(t, "3.6", false)
	p.output()
	p.want("two requests in one read", p.send(findEndpoint+findBinding), missed)
	p.want("the second again", p.send(findBinding), list("status", "2", "property", "", "property", ""))
	d := newPeer(t, "3.6", true)
	d.want("no greeting", d.output(), "")
	d.want("a buffer for each direction", d.send(findEndpoint+findEndpoint), missed+missed)
}

func TestEnd(t *testing.T) {
	tests := []struct {
		name    string
		before  []string
		err     error
		want    string
		log     string
		closed  int
		handing bool
	}{
		{"idle", nil, io.EOF, "", "", 0, false},
		{"in a name", []string{"requ"}, io.EOF, "",
			"warning: unexpected end-of-input from scache socket while reading input attribute name", 0, false},
		{"time is up", []string{"request\x00"}, unix.ETIMEDOUT, "",
			"warning: timeout on scache socket while reading input attribute value", 0, false},
		{"instead of the descriptor", []string{saveEndpoint}, io.EOF, list("status", "2"),
			"warning: scache_save_endp_service: unable to receive file descriptor: Application error", 0, false},
		{"time is up for the descriptor", []string{saveEndpoint}, unix.ETIMEDOUT, list("status", "2"),
			"warning: scache_save_endp_service: unable to receive file descriptor: Connection timed out", 0, false},
		{"in a hand-over", []string{saveEndpoint, "fd", findEndpoint}, io.EOF, "",
			"warning: scache_find_endp_service: cannot send file descriptor: Application error", 1, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPeer(t, "3.6", false)
			for _, data := range tt.before {
				if data == "fd" {
					p.receive(7)
				} else {
					p.send(data)
				}
			}
			p.output()
			if p.conn.HandingOver() != tt.handing {
				t.Errorf("HandingOver is %v", !tt.handing)
			}
			p.conn.End(tt.err)
			p.want("output", p.output(), tt.want)
			p.want("log", strings.Join(p.log, "\n"), tt.log)
			if len(p.closed) != tt.closed {
				t.Errorf("closed %v", p.closed)
			}
			if tt.name != "idle" {
				return
			}
			p.conn.Close()
		})
	}
}

func TestStringLimit(t *testing.T) {
	p := newPeer(t, "3.6", false)
	p.output()
	piece := strings.Repeat("x", BufferSize)
	p.send("request\x00find_endp\x00label\x00")
	for range 16 {
		if p.send(piece); p.action != Input {
			t.Fatalf("action %d before the limit", p.action)
		}
	}
	if p.send("x"); p.action != Drop {
		t.Fatalf("action %d beyond the limit", p.action)
	}
	p.want("log", strings.Join(p.log, "\n"),
		"warning: string from scache socket while reading input attribute value exceeds the limit of 65536 bytes")
}

// While there are too many warnings a client that sends nothing but malformed
// requests is dropped, with what it has in hand.
func TestMalformed(t *testing.T) {
	for _, malformed := range []string{"\x00", "x\x00", "request\x00find_endp\x00\x00"} {
		p := newPeer(t, "3.6", true)
		flooded := false
		p.service.Flooded = func() bool { return flooded }
		for range 2 * mostMalformed {
			p.send(malformed)
		}
		p.want("find_endp, there are not too many warnings", p.send(findEndpoint), missed)
		flooded = true
		for n := 1; n < mostMalformed; n++ {
			p.send(malformed)
		}
		p.want("find_endp, the client has not been dropped", p.send(findEndpoint), missed)
		p.log = nil
		for n := 1; p.action != Drop; n++ {
			if p.send(malformed); n > mostMalformed {
				t.Fatalf("%q: not dropped", malformed)
			}
		}
		p.want("the last warning", p.log[len(p.log)-1], "warning: scache socket: nothing but malformed requests, closing the connection")
	}
	p := newPeer(t, "3.6", false)
	p.service.Flooded = func() bool { return true }
	p.send(saveEndpoint)
	p.receive(7)
	p.send(findEndpoint)
	p.send(strings.Repeat("\x00", BufferSize))
	if p.action != Drop || len(p.log) != mostMalformed+2 {
		t.Errorf("action %d, %d lines in the log", p.action, len(p.log))
	}
	p.conn.Close()
	if diff := cmp.Diff([]int{7}, p.closed); diff != "" {
		t.Errorf("closed descriptors (-want +got):\n%s", diff)
	}
}

// TestLive checks that dead sessions are skipped and closed, and that the
// statistics count what the client got.
func TestLive(t *testing.T) {
	p := newPeer(t, "3.6", false)
	dead := map[int]bool{7: true, 8: true}
	p.service.Live = func(fd int) bool { return !dead[fd] }
	save := func(fds ...int) {
		p.send(saveBinding)
		for _, fd := range fds {
			p.send(saveEndpoint)
			p.receive(fd)
		}
		p.output()
	}
	save(7, 8, 9)
	p.want("the live one", p.send(findBinding), foundBinding)
	if p.conn.Session() != 9 {
		t.Errorf("session %d, want 9", p.conn.Session())
	}
	p.send(dummy)
	p.send(dummy)
	save(7)
	p.want("none alive", p.send(findEndpoint), missed)
	p.want("closed", cmp.Diff([]int{7, 8, 9, 7}, p.closed), "")
	p.log = nil
	p.service.ReportStatistics(time.Unix(2000, 0))
	p.want("statistics", strings.Join(p.log[1:], "\n"), `statistics: domain lookup hits=1 miss=0 success=100%
statistics: address lookup hits=0 miss=1 success=0%
statistics: max simultaneous domains=1 addresses=1 connection=3`)
}

func TestStatistics(t *testing.T) {
	p := newPeer(t, "3.6", false)
	s := p.service
	s.ReportStatistics(time.Unix(1000, 0))
	p.want("nothing happened", strings.Join(p.log, "\n"), "")
	start := time.Date(2026, 11, 1, 9, 8, 7, 0, time.Local)
	s.ReportStatistics(start)
	s.Counters.Destination.Hits, s.Counters.Destination.Misses[missEmpty] = 2, 1
	s.ReportStatistics(start)
	p.want("only lookups", strings.Join(p.log, "\n"), `statistics: start interval Nov  1 09:08:07
statistics: domain lookup hits=2 miss=1 success=66%`)
	p.log = nil
	s.ReportStatistics(start)
	p.want("starts anew", strings.Join(p.log, "\n"), "")
}
