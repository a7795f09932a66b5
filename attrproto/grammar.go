package attrproto

import "bytes"

// An Encoding is one of the three forms that a list has on the wire. The zero
// value is [Null], which nearly all Postfix services speak; the table in the
// package scache/attrproto/service names the others.
type Encoding uint8

const (
	Null   Encoding = iota // strings end with a NUL byte (src/util/attr_print0.c)
	Base64                 // lines of name:value, both in base64 (src/util/attr_print64.c)
	Plain                  // lines of name=value (src/util/attr_print_plain.c)
)

var encodings = [...]string{Null: "null", Base64: "base64", Plain: "plain"}

// String is the encoding's name: null, base64 or plain.
func (e Encoding) String() string {
	if int(e) < len(encodings) {
		return encodings[e]
	}
	return "unknown encoding"
}

// ParseEncoding returns the encoding of that name.
func ParseEncoding(name string) (e Encoding, ok bool) {
	for i, known := range encodings {
		if known == name {
			return Encoding(i), true
		}
	}
	return Null, false
}

// groupOpen and groupClose are the names that stand for the ends of a group.
const (
	groupOpen  = "{"
	groupClose = "}"
)

// A part is what comes next in a list.
type part uint8

const (
	namePart  part = iota
	valuePart      // the value that a name asks for
	restPart       // what follows a name that nobody asked for
)

// terminator is the byte that ends a value, and a list.
func (e Encoding) terminator() byte {
	if e == Null {
		return 0
	}
	return '\n'
}

// separator is the byte between a name and its value.
func (e Encoding) separator() byte {
	switch e {
	case Base64:
		return ':'
	case Plain:
		return '='
	}
	return 0
}

// cut finds the byte that ends a part of a list: its index in b, -1 when it has
// not come yet.
func (e Encoding) cut(b []byte, p part) int {
	switch {
	case e == Null:
		return bytes.IndexByte(b, 0)
	case p == restPart, e == Plain && p == valuePart:
		return bytes.IndexByte(b, '\n') // the line may hold any number of separators
	}
	separator := e.separator()
	for i, c := range b {
		if c == separator || c == '\n' {
			return i
		}
	}
	return -1
}

// A lexer takes lists apart into names and values. All that read a list stand
// on it: [Consumer], [Scan] and [Reader.NextName]. It remembers how far it has
// looked for the end of a string, so that a string that comes in many pieces is
// looked at once.
//
//	list[:pos]          taken off already
//	list[pos:searched]  the start of the next string, known to hold no end of it
type lexer struct{ pos, searched int }

// next takes a string off the list, and tells the byte that ended it. The list
// has the bytes that it had at the last call and perhaps more. The trouble is 0;
// or [KindPremature] when the string has no end yet, however far it reaches; or
// [KindTooLong] when it exceeds the limit, in bytes, where 0 stands for none.
func (l *lexer) next(list []byte, e Encoding, p part, limit int) (text []byte, end byte, trouble Kind) {
	var i int
	if e == Null {
		i = bytes.IndexByte(list[l.searched:], 0)
	} else {
		i = e.cut(list[l.searched:], p)
	}
	stop := l.searched + i
	if i < 0 {
		stop = len(list)
	}
	if limit > 0 && stop-l.pos > limit {
		return nil, 0, KindTooLong
	}
	if i < 0 {
		l.searched = stop
		return nil, 0, KindPremature
	}
	text = list[l.pos:stop]
	l.pos = stop + 1
	l.searched = l.pos
	return text, list[stop], 0
}

// itemKind tells what a name begins, given how it is on the wire, what it stands
// for, and the byte that ended it. The mark is the name that begins or ends a
// group here, if any does. A name that lacks its value is 0.
func (e Encoding) itemKind(wire, name []byte, end byte, mark string) ItemKind {
	switch {
	case e != Null && end != '\n':
		return ItemAttribute
	case len(wire) == 0:
		return ItemEnd
	case string(name) != mark:
	case mark == groupOpen:
		return ItemOpen
	case mark == groupClose:
		return ItemClose
	}
	if e == Null {
		return ItemAttribute
	}
	return 0
}

// decode tells what a name or value stands for: in the encoding Base64 it is
// decoded to the end of memory, which is returned, otherwise it stands for
// itself.
func (e Encoding) decode(memory, wire []byte) (grown, text []byte, ok bool) {
	if e != Base64 {
		return memory, wire, true
	}
	grown, ok = appendUnbase64(memory, wire)
	return grown, grown[len(memory):], ok
}

// cString is what a C program sees of a string that holds a NUL: the part
// before it. Only the encodings Base64 and Plain can carry one.
func cString(text []byte) []byte {
	if i := bytes.IndexByte(text, 0); i >= 0 {
		return text[:i]
	}
	return text
}
