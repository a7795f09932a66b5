package protocol

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scache/testdata"
)

// The dummy after the descriptor may come or not, whichever of the two old
// dialects is set, and in pieces.
func TestLateDummy(t *testing.T) {
	for _, version := range []string{"2.2", "2.3"} {
		for _, test := range []struct {
			name, after string
			log         string
		}{
			{"none", "", ""},
			{"one", dummy, ""},
			{"something else", list("dumb", ""), "warning: unexpected attribute dumb from scache socket (expecting: dummy)\n" +
				strings.Repeat("warning: missing attribute request in input from scache socket\n", 2)},
		} {
			for _, pieces := range []int{1, 3, 100} {
				t.Run(version+" "+test.name, func(t *testing.T) {
					p := newPeer(t, version, false)
					p.send(saveEndpoint)
					p.receive(7)
					p.want("find", p.send(findEndpoint), found)
					p.want("descriptor", p.send(dummy), "<fd>")
					p.want("closed", cmp.Diff([]int{7}, p.closed), "")
					if !p.conn.Idle() || p.conn.HandingOver() {
						t.Error("not between two requests")
					}
					var got string
					text := test.after + findEndpoint
					for piece := range slices.Chunk([]byte(text), (len(text)+pieces-1)/pieces) {
						got += p.send(string(piece))
					}
					p.want("the next request", got, missed)
					p.want("log", strings.Join(p.log, "\n"), strings.TrimSuffix(test.log, "\n"))
				})
			}
		}
	}
}

// In the dialect of the snapshot the descriptor does not go before the client has
// read the answer.
func TestAwaitRead(t *testing.T) {
	begin := func() *peer {
		p := newPeer(t, "20040720", false)
		p.send(saveEndpoint+"\x00", 7)
		p.output()
		p.action = p.conn.Input([]byte(findEndpoint), nil)
		if p.action != AwaitRead || !p.conn.HandingOver() || p.conn.Idle() {
			t.Fatalf("action %d", p.action)
		}
		p.want("answer", p.output(), found)
		return p
	}
	p := begin()
	if p.action = p.conn.AnswerRead(); p.action != Send {
		t.Fatalf("action %d once the answer was read", p.action)
	}
	if p.action = p.conn.Sent(nil); p.action != Input || !p.conn.Idle() {
		t.Fatalf("action %d once the descriptor was sent", p.action)
	}
	p.want("closed", cmp.Diff([]int{7}, p.closed), "")
	p = begin()
	p.conn.End(io.EOF)
	p.want("closed when the client has left", cmp.Diff([]int{7}, p.closed), "")
	p.want("log", strings.Join(p.log, "\n"), "warning: scache_find_endp_service: cannot send file descriptor: Application error")
}

// What can only happen in the wrong dialect is said, once a minute.
func TestWrongDialect(t *testing.T) {
	const (
		old = "warning: scache socket: a client does not wait for the greeting; clients of Postfix 2.2 to 3.5 need scached_protocol_version = 2.3"
		new = "warning: scache socket: a client said nothing, as if it waited for a greeting; clients of Postfix 3.6 and later need scached_protocol_version = 3.6"
	)
	spokeFirst := func(p *peer) { p.service.SpokeFirst() }
	silent := func(seconds int64) func(*peer) {
		return func(p *peer) {
			p.conn.Open(p.service, false)
			p.service.Cache.Expire(p.service.Cache.Now() + seconds)
			p.conn.Close()
		}
	}
	for _, test := range []struct {
		name, version string
		happens       func(*peer)
		log           string
	}{
		{"spoke first", "3.6", spokeFirst, old},
		{"spoke first, as it should", "2.3", spokeFirst, ""},
		{"silent", "2.3", silent(2), new},
		{"silent in the snapshot's", "20040720", silent(2), new},
		{"silent for a moment", "2.3", silent(1), ""},
		{"silent after the greeting", "3.6", silent(100), ""},
		{"idle", "2.3", func(p *peer) {
			p.send(findEndpoint)
			p.service.Cache.Expire(p.service.Cache.Now() + 100)
			p.conn.Close()
		}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPeer(t, test.version, false)
			test.happens(p)
			test.happens(p)
			p.want("log", strings.Join(p.log, "\n"), test.log)
			p.log = nil
			p.service.Cache.Expire(p.service.Cache.Now() + wrongInterval)
			test.happens(p)
			p.want("log a minute later", strings.Join(p.log, "\n"), test.log)
		})
	}
}

// TestClients has the client library of each version of Postfix speak to us, in its
// dialect: it gets to the byte what it got from its own server. A client of
// the old dialects is served by either.
func TestClients(t *testing.T) {
	clients, err := testdata.Clients()
	if err != nil {
		t.Fatal(err)
	}
	if len(clients) != 7 {
		t.Errorf("there are %d clients", len(clients))
	}
	for _, client := range clients {
		dialects := []string{client.Dialect}
		if client.Dialect == "2.2" || client.Dialect == "2.3" {
			dialects = []string{"2.2", "2.3"}
		}
		for _, dialect := range dialects {
			t.Run(client.Version+" in "+dialect, func(t *testing.T) {
				p := newPeer(t, dialect, false)
				p.service.TTLLimit = 100_000
				p.play(client)
				p.want("log", strings.Join(p.log, "\n"), "")
			})
		}
	}
}

// play does what a client did. It reads as the client did: a read before a
// descriptor takes the whole answer, and the descriptor comes afterwards.
func (p *peer) play(client testdata.Client) {
	p.Helper()
	var got string // that was not read
	session := 0
	for n, step := range client.Steps {
		switch {
		case step.Op != "":
			if got != "" {
				p.Fatalf("step %d: %q is left of the last call", n, got)
			}
			if step.Op == "find_endp short" { // which is looked for when its second is over
				p.service.Cache.Expire(p.service.Cache.Now() + 1)
			}
		case step.Connect:
			p.conn.Close()
			p.conn.Open(p.service, false)
			p.action = Input
			got = p.output()
		case step.ToServer && p.action == Descriptor && step.FDs == 1:
			session++
			got += p.receive(session)
		case step.ToServer:
			for piece := range slices.Chunk([]byte(step.Data), BufferSize) {
				p.action = p.conn.Input(piece, nil)
				got += p.output()
			}
		case step.FDs == 1:
			if got != "" {
				p.Fatalf("step %d: the descriptor is to come, and %q is there", n, got)
			}
			if p.action == AwaitRead {
				p.action = p.conn.AnswerRead()
			}
			if p.action != Send {
				p.Fatalf("step %d: no descriptor: action %d", n, p.action)
			}
			p.action = p.conn.Sent(nil)
			got += p.output()
		default:
			if got != step.Data {
				p.Fatalf("step %d (-reference +ours):\n%s", n, cmp.Diff(step.Data, got))
			}
			got = ""
		}
	}
}
