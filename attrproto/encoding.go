package attrproto

import "bytes"

// An Encoding is one of the three forms that a list has on the wire. The zero
// value is [Null], which all Postfix services speak except for those that the
// table [Services] names.
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

// terminator is the byte that ends a list.
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

// cut finds the end of the string that b begins with: the index of the byte
// that ends it, -1 when there is none.
func (e Encoding) cut(b []byte, value bool) int {
	switch {
	case e == Null:
		return bytes.IndexByte(b, 0)
	case e == Plain && value:
		return bytes.IndexByte(b, '\n')
	}
	separator := e.separator()
	for i, c := range b {
		if c == separator || c == '\n' {
			return i
		}
	}
	return -1
}

// cString is what a C program sees of a string that holds a NUL: the part
// before it. Only the encodings Base64 and Plain can carry one.
func cString(text []byte) []byte {
	if i := bytes.IndexByte(text, 0); i >= 0 {
		return text[:i]
	}
	return text
}
