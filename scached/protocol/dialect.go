package protocol

import "scache/attrproto"

// A Dialect is the protocol of some versions of Postfix: where a dummy, an
// empty attribute, keeps the peers in step around the descriptor.
type Dialect struct {
	Version string // the first version of Postfix that speaks it
	Greets  bool   // the server speaks first, and names the protocol
	Before  bool   // the sender waits for a dummy before it sends the descriptor
	After   bool   // and for another one before it closes its own copy
}

// Dialects are all there are, the newest first.
var Dialects = []Dialect{
	{Version: "3.6", Greets: true, Before: true, After: true},
	{Version: "2.3", Before: true, After: true}, // and 2.2.5 to 2.2.12
	{Version: "2.2", Before: true},
	{Version: "20040720"},
}

// FindDialect returns the dialect with that version.
func FindDialect(version string) (d Dialect, ok bool) {
	for _, d := range Dialects {
		if d.Version == version {
			return d, true
		}
	}
	return Dialect{}, false
}

// ProtocolName is what a server that greets calls its protocol.
const ProtocolName = "connection_cache_protocol"

// AppendGreeting appends what the server says before the client says anything.
func (d Dialect) AppendGreeting(dst []byte) []byte {
	if !d.Greets {
		return dst
	}
	return attrproto.AppendEnd(attrproto.AppendString(dst, "protocol", ProtocolName))
}
