package protocol

import (
	"errors"
	"strconv"

	"scache/attrproto"
)

// A Dialect is the protocol of some versions of Postfix: where a dummy, an
// empty attribute, keeps the peers in step around the descriptor.
//
// A server need not know 2.3 from 2.2. It takes the dummy after the descriptor
// from a client that sends one, and does not miss it: the kernel keeps a
// descriptor open that is on its way, so its sender can close it at once.
type Dialect struct {
	Version string // the first version of Postfix that speaks it
	Greets  bool   // the server speaks first, and names the protocol
	Before  bool   // who is to get a descriptor sends a dummy when it is ready for it
	After   bool   // and another one when it has it
}

// Dialects are all there are, the newest first.
var Dialects = []Dialect{
	{Version: "3.6", Greets: true, Before: true, After: true},
	{Version: "2.3", Before: true, After: true}, // and 2.2.5 to 2.2.12
	{Version: "2.2", Before: true},
	{Version: "20040720"},
}

// Current is the dialect of Postfix 3.6 and later.
var Current = Dialects[0]

// Check refuses what is no dialect, above all the zero value, which would pass
// for the oldest one.
func (d Dialect) Check() error {
	if _, ok := FindDialect(d.Version); !ok {
		return errors.New("no dialect of the connection cache protocol: " + strconv.Quote(d.Version))
	}
	return nil
}

// afterOptional tells whether a dummy may come after the descriptor, or may not.
func (d Dialect) afterOptional() bool { return d.Before && !d.Greets }

// needsRead tells whether a client may lose the descriptor when it is on its way
// while the client reads the answer: it does so with read(2), and where that
// takes the NUL byte, the kernel drops the descriptor that came with it.
func (d Dialect) needsRead() bool { return !d.Before }

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
	return attrproto.Null.AppendEnd(attrproto.AppendUnchecked(dst, "protocol", ProtocolName))
}
