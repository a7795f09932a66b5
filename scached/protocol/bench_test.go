package protocol

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"scache/attrproto"
)

// noLog is a Logger that nobody should have a line for.
type noLog struct{ b *testing.B }

func (l noLog) Info(text string)    { l.b.Fatal(text) }
func (l noLog) Warning(text string) { l.b.Fatal(text) }

// benchList is an attribute list of names and values in turn.
func benchList(namesAndValues ...string) []byte {
	var out []byte
	for i := 0; i < len(namesAndValues); i += 2 {
		out, _ = attrproto.Null.AppendString(out, namesAndValues[i], namesAndValues[i+1])
	}
	return attrproto.Null.AppendEnd(out)
}

// A benchConn is a connection with what a client sends in a cycle of requests.
type benchConn struct {
	b       *testing.B
	service *Service
	Conn

	saveEndpoint, saveDestination, findDestination, findEndpoint, dummy []byte
}

func newBenchConn(b *testing.B, service *Service) *benchConn {
	property := strings.Repeat("p", 300)
	c := &benchConn{
		b: b, service: service,
		saveEndpoint:    benchList("request", "save_endp", "ttl", "2", "label", "smtp\n[198.51.100.1]:25", "property", property),
		saveDestination: benchList("request", "save_dest", "ttl", "2", "label", "smtp\nexample.com", "property", "p", "label", "smtp\n[198.51.100.1]:25"),
		findDestination: benchList("request", "find_dest", "label", "smtp\nexample.com"),
		findEndpoint:    benchList("request", "find_endp", "label", "smtp\n[198.51.100.2]:25"),
		dummy:           benchList("dummy", ""),
	}
	c.Open(service, false)
	c.Written(len(c.Output()))
	return c
}

func newBenchService(b *testing.B, cached int) *Service {
	service := NewService(Config{
		Name: "scache", Dialect: Current, TTLLimit: 3600, StringLimit: 1 << 16,
		Log: noLog{b}, Close: func(int) {},
	}, time.Unix(0, 0))
	property := []byte(strings.Repeat("p", 300))
	for i := range cached {
		service.Cache.SaveEndpoint(3600, []byte("smtp\n[192.0.2.1]:"+strconv.Itoa(i)), property, i)
	}
	return service
}

// give hands input to the connection and takes its answer.
func (c *benchConn) give(in []byte, want Action) {
	if got := c.Input(in, nil); got != want {
		c.b.Fatalf("action %d after %q, want %d", got, in, want)
	}
	c.Written(len(c.Output()))
}

func (c *benchConn) cycle() {
	c.give(c.saveEndpoint, Descriptor)
	c.Received(7, nil)
	c.Written(len(c.Output()))
	c.give(c.saveDestination, Input)
	c.give(c.findDestination, Input)
	c.give(c.dummy, Send)
	c.Sent(nil)
	c.give(c.dummy, Input)
	c.give(c.findEndpoint, Input)
}

// A cycle is save_endp, save_dest, a find_dest that hits and a find_endp that
// misses.
func BenchmarkCycle(b *testing.B) {
	for _, cached := range []int{0, 1_000, 10_000, 18_000} {
		b.Run(fmt.Sprintf("cached=%d", cached), func(b *testing.B) {
			c := newBenchConn(b, newBenchService(b, cached))
			c.cycle()
			b.ReportAllocs()
			for b.Loop() {
				c.cycle()
			}
		})
	}
}

// The shortest request, answered at once.
func BenchmarkFindNothing(b *testing.B) {
	c := newBenchConn(b, newBenchService(b, 0))
	b.ReportAllocs()
	for b.Loop() {
		c.give(c.findEndpoint, Input)
	}
}

// A client that comes, makes a request, and goes.
func BenchmarkOpenAndClose(b *testing.B) {
	c := newBenchConn(b, newBenchService(b, 0))
	c.Close()
	b.ReportAllocs()
	for b.Loop() {
		c.Open(c.service, false)
		c.Written(len(c.Output()))
		c.give(c.findEndpoint, Input)
		c.Close()
	}
}
