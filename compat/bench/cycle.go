package bench

import (
	"fmt"
	"strings"

	"scache/attrproto"
	"scache/scached/protocol"
)

// propertySize is how long the property of a session is, in bytes: about as
// long as what smtp(8) says about one.
const propertySize = 300

// A step of a conversation is something that a client sends, and what the
// server is to answer: nothing, if expect is empty.
type step struct {
	name   string
	send   []byte
	pass   bool // the SMTP session's descriptor is sent with it
	expect []byte
	take   bool // a descriptor comes with the answer

	answered bool // the client has what it asked for: the request is over
}

var (
	nul      = []byte{0}
	greeting = protocol.Current.AppendGreeting(nil)
	dummy    = list("dummy", "")
	saved    = list("status", "0")
	missed   = list("status", "2", "property", "")
)

// list is an attribute list of names and values in turn.
func list(namesAndValues ...string) []byte {
	var b []byte
	for i := 0; i < len(namesAndValues); i += 2 {
		b, _ = attrproto.Null.AppendString(b, namesAndValues[i], namesAndValues[i+1])
	}
	return attrproto.Null.AppendEnd(b)
}

// property is a text of n bytes with a session's name in it.
func property(name string, n int) string {
	text := "dest_prop\n" + name + "\n"
	return text + strings.Repeat("p", n-len(text))
}

// sessionProperty is one in the form of smtp(8)'s, with a session's name in it:
// only such a session is sent QUIT, where that is on.
func sessionProperty(name string) string {
	text := "tls_level=0\nreuse_count=1\nendpoint_features=143\nexpire_time=1780000000\nsession=" + name
	return text + strings.Repeat("p", propertySize-len(text)-2) + "\n\n"
}

// saveEndpoint is how a session is saved. The name stands for its endpoint.
func saveEndpoint(name string, ttl int) []step {
	request := list("request", "save_endp", "ttl", fmt.Sprint(ttl),
		"label", endpointLabel(name), "property", sessionProperty(name))
	return []step{
		{name: "save_endp", send: request, expect: dummy},
		{name: "save_endp descriptor", send: nul, pass: true, expect: saved, answered: true},
	}
}

func endpointLabel(name string) string { return "smtp\nsmtp\n" + name + ".mx.example.com\n25\n" }

// requests is how many there are in a cycle.
const requests = 4

// cycle is the conversation that is measured, with a ttl in seconds. The name
// tells clients apart: they do not get at each other's sessions.
func cycle(name string, ttl int) []step {
	destination := "smtp\nsmtp\n" + name + ".example.com\n25\n"
	bound := property(name, 60)
	steps := saveEndpoint(name, ttl)
	return append(steps, []step{
		{name: "save_dest", send: list("request", "save_dest", "ttl", fmt.Sprint(ttl),
			"label", destination, "property", bound, "label", endpointLabel(name)), expect: saved, answered: true},
		{name: "find_dest", send: list("request", "find_dest", "label", destination),
			expect: list("status", "0", "property", bound, "property", sessionProperty(name))},
		{name: "find_dest descriptor", send: dummy, expect: nul, take: true, answered: true},
		{name: "find_dest end", send: dummy},
		{name: "find_endp", send: list("request", "find_endp", "label", endpointLabel("no."+name)),
			expect: missed, answered: true},
	}...)
}
