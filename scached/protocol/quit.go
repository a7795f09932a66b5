package protocol

import (
	"bytes"

	"scache/scached/cache"
)

// endsWithQuit tells whether a session that leaves the cache is one that QUIT is
// due to: whoever closes a connection before QUIT breaks RFC 5321, 4.1.1.10. A
// session that was found is for its client to end, even if the hand-over failed,
// and for one that makes room for another descriptor there is no time.
func endsWithQuit(c *cache.Closed) bool {
	switch c.Reason {
	case cache.Expired, cache.Limited, cache.Flushed, cache.Shutdown:
		return fromSMTP(c.Property)
	}
	return false
}

// fromSMTP tells whether a property is one that smtp(8) saves with a session, or
// lmtp(8), which says QUIT, too (smtp_session_passivate in
// src/smtp/smtp_session.c). What anybody else saves may lead to anything.
//
// Since Postfix 3.4 it is lines name=value, three of which are always there, and
// an empty line; with TLS the details of the handshake follow in the same form.
// From 2.3 on it was three numbers, a line each, and in 2.2 there were the names
// of the destination and of the host, the address and four numbers.
func fromSMTP(property []byte) bool {
	if bytes.IndexByte(property, '=') < 0 {
		return numbers(property, 0, 3) || numbers(property, 3, 4)
	}
	var names [3]bool
	var line []byte
	for rest, more := property, true; len(rest) > 0; {
		if line, rest, more = bytes.Cut(rest, newline); !more {
			return false // it does not end in a newline
		}
		name, value, _ := bytes.Cut(line, equals)
		for i := range names {
			names[i] = names[i] || string(name) == propertyNames[i] && number(value)
		}
	}
	return len(line) == 0 && names == [3]bool{true, true, true}
}

var (
	newline       = []byte("\n")
	equals        = []byte("=")
	propertyNames = [3]string{"reuse_count", "endpoint_features", "expire_time"}
)

// numbers tells whether a text is so many lines of any text, and then so many
// numbers, with nothing after the last one.
func numbers(text []byte, texts, count int) bool {
	var line []byte
	more := true
	for i := range texts + count {
		if !more {
			return false
		}
		if line, text, more = bytes.Cut(text, newline); i >= texts && !number(line) {
			return false
		}
	}
	return !more
}

func number(text []byte) bool {
	for _, c := range text {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(text) > 0
}
