package attrproto

import (
	"math"
	"strconv"
)

// AppendString appends the attribute name=value. When one of them cannot be
// sent, the error is an [*EncodeError] and dst comes back as it was.
//
// From ATTR_TYPE_STR in src/util/attr_print0.c and its siblings.
func (e Encoding) AppendString(dst []byte, name, value string) ([]byte, error) {
	return appendText(e, dst, name, value)
}

// AppendBytes is AppendString for a value in a byte slice.
func (e Encoding) AppendBytes(dst []byte, name string, value []byte) ([]byte, error) {
	return appendText(e, dst, name, value)
}

// AppendInt appends a number of the type int: what is below zero goes as its
// 32-bit complement, as in C. It must be at least -2147483648 and at most
// 4294967295.
//
// From ATTR_TYPE_INT in src/util/attr_print0.c and its siblings.
func (e Encoding) AppendInt(dst []byte, name string, value int) ([]byte, error) {
	if value < math.MinInt32 || value > math.MaxUint32 {
		return dst, &EncodeError{Name: name, Value: true, Reason: "does not fit in 32 bits"}
	}
	return e.appendNumber(dst, name, uint64(uint32(value)))
}

// AppendLong appends a number of the type long: what is below zero goes as its
// 64-bit complement, as in C.
//
// From ATTR_TYPE_LONG in src/util/attr_print0.c and its siblings.
func (e Encoding) AppendLong(dst []byte, name string, value int64) ([]byte, error) {
	return e.appendNumber(dst, name, uint64(value))
}

// AppendBool appends a truth value: 1 or 0, in the plain encoding true or
// false. Postfix before 3.12 does not know the type.
//
// From ATTR_TYPE_BOOL in src/util/attr_print0.c and its siblings.
func (e Encoding) AppendBool(dst []byte, name string, value bool) ([]byte, error) {
	if e == Plain {
		return appendText(e, dst, name, strconv.FormatBool(value))
	}
	if value {
		return e.appendNumber(dst, name, 1)
	}
	return e.appendNumber(dst, name, 0)
}

// AppendData appends any bytes, which go as base64.
//
// From ATTR_TYPE_DATA in src/util/attr_print0.c and its siblings.
func (e Encoding) AppendData(dst []byte, name string, value []byte) ([]byte, error) {
	if err := checkName(e, name); err != nil {
		return dst, err
	}
	dst = e.appendField(dst, name)
	dst = append(dst, e.separator())
	dst = AppendBase64(dst, value)
	return append(dst, e.terminator()), nil
}

// AppendOpen appends the start of a group. What follows are strings, up to
// [Encoding.AppendClose]; groups do not nest. Plain really sends a NUL here.
//
// From ATTR_TYPE_HASH in src/util/attr_print0.c and its siblings.
func (e Encoding) AppendOpen(dst []byte) []byte { return e.appendBrace(dst, groupOpen) }

// AppendClose appends the end of a group.
func (e Encoding) AppendClose(dst []byte) []byte { return e.appendBrace(dst, groupClose) }

// AppendEnd appends the end of a list.
func (e Encoding) AppendEnd(dst []byte) []byte { return append(dst, e.terminator()) }

func (e Encoding) appendBrace(dst []byte, brace string) []byte {
	dst = e.appendField(dst, brace)
	if e == Plain {
		dst = append(dst, 0)
	}
	return append(dst, e.terminator())
}

// appendField appends a name, or a value that is text.
func (e Encoding) appendField(dst []byte, text string) []byte {
	if e == Base64 {
		return appendBase64String(dst, text)
	}
	return append(dst, text...)
}

func (e Encoding) appendNumber(dst []byte, name string, value uint64) ([]byte, error) {
	var digits [20]byte
	return appendText(e, dst, name, strconv.AppendUint(digits[:0], value, 10))
}

func appendText[V ~string | ~[]byte](e Encoding, dst []byte, name string, value V) ([]byte, error) {
	if err := checkName(e, name); err != nil {
		return dst, err
	}
	if err := checkText(e, name, value, true); err != nil {
		return dst, err
	}
	dst = e.appendField(dst, name)
	dst = append(dst, e.separator())
	if e == Base64 {
		dst = appendBase64String(dst, value)
	} else {
		dst = append(dst, value...)
	}
	return append(dst, e.terminator()), nil
}

// appendBase64String goes three bytes at a time through a small buffer, so
// that a string need not be copied to memory of its own.
func appendBase64String[V ~string | ~[]byte](dst []byte, text V) []byte {
	var chunk [96]byte
	for len(text) > 0 {
		n := copy(chunk[:], text)
		dst = AppendBase64(dst, chunk[:n])
		text = text[n:]
	}
	return dst
}
