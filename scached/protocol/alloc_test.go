package protocol

import (
	"strings"
	"testing"
)

// Once its memory is there, a cycle of requests allocates nothing.
func TestAllocations(t *testing.T) {
	t.Run("plain", func(t *testing.T) { testAllocations(newPeer(t, "3.6", false)) })
	t.Run("name spaces", func(t *testing.T) {
		p := newPeer(t, "3.6", false)
		p.service.NameSpaces = []NameSpace{{"slow", "smtp"}, {"relay", "smtp"}}
		testAllocations(p)
	})
}

func testAllocations(p *peer) {
	relay := func(request string) []byte {
		return []byte(strings.ReplaceAll(request, "label\x00", "label\x00relay\n"))
	}
	requests := [][]byte{relay(saveEndpoint), relay(saveBinding), relay(findBinding), []byte(dummy), []byte(dummy), relay(findEndpoint)}
	p.service.Close = func(int) {}
	cycle := func() {
		for _, request := range requests {
			action := p.conn.Input(request, nil)
			p.conn.Written(len(p.conn.Output()))
			if action == Descriptor {
				p.conn.Received(7, nil)
			} else if action == Send {
				p.conn.Sent(nil)
			}
			p.conn.Written(len(p.conn.Output()))
		}
		p.service.Cache.Expire(1000)
	}
	cycle()
	if n := testing.AllocsPerRun(100, cycle); n > 0 {
		p.Errorf("%v allocations in a cycle of requests", n)
	}
	if len(p.log) > 0 {
		p.Errorf("log: %q", p.log)
	}
}
