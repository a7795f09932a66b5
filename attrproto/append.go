package attrproto

import (
	"bytes"
	"math"
	"strconv"
)

// An EncodeError says why an attribute cannot be sent: it would arrive as
// something else, or break the list. Nothing of it is written.
type EncodeError struct {
	Name   string // of the attribute
	Value  bool   // the trouble is with the value, not with the name
	Offset int    // of the byte that is the trouble, if there is one
	Reason string // what is wrong, such as "holds a NUL byte"
}

func (e *EncodeError) Error() string {
	what := "name"
	if e.Value {
		what = "value"
	}
	return "attribute " + strconv.Quote(e.Name) + ": the " + what + " " + e.Reason
}

// AppendUnchecked appends the attribute name=value in the encoding [Null] and has
// no look at them: the caller guarantees that neither holds a NUL byte, as what
// came in over the wire in this encoding cannot, and that the name is neither
// empty nor a brace. [Encoding.AppendString] checks.
func AppendUnchecked[V ~string | ~[]byte](dst []byte, name string, value V) []byte {
	dst = append(dst, name...)
	dst = append(dst, 0)
	dst = append(dst, value...)
	return append(dst, 0)
}

// AppendString appends the attribute name=value. When one of them cannot be
// sent, the error is an [*EncodeError] and dst comes back as it was.
//
// From ATTR_TYPE_STR in src/util/attr_print0.c and its siblings.
func (e Encoding) AppendString(dst []byte, name, value string) ([]byte, error) {
	return appendAttribute(e, dst, name, value)
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
	return appendAttribute(e, dst, name, e.formatBool(value))
}

func (e Encoding) formatBool(value bool) string {
	switch {
	case e == Plain:
		return strconv.FormatBool(value)
	case value:
		return "1"
	}
	return "0"
}

// AppendData appends any bytes, which go as base64.
//
// From ATTR_TYPE_DATA in src/util/attr_print0.c and its siblings.
func (e Encoding) AppendData(dst []byte, name string, value []byte) ([]byte, error) {
	grown, err := e.appendName(dst, name)
	if err != nil {
		return dst, err
	}
	return append(appendBase64(grown, value), e.terminator()), nil
}

// AppendOpen appends the start of a group. What follows are strings, up to
// [Encoding.AppendClose]; groups do not nest. Plain really sends a NUL here.
//
// From ATTR_TYPE_HASH in src/util/attr_print0.c and its siblings.
func (e Encoding) AppendOpen(dst []byte) []byte { return e.appendMark(dst, groupOpen) }

// AppendClose appends the end of a group.
func (e Encoding) AppendClose(dst []byte) []byte { return e.appendMark(dst, groupClose) }

// AppendEnd appends the end of a list.
func (e Encoding) AppendEnd(dst []byte) []byte { return append(dst, e.terminator()) }

func (e Encoding) appendMark(dst []byte, mark string) []byte {
	start := len(dst)
	dst = append(dst, mark...)
	if e == Plain {
		dst = append(dst, 0)
	}
	return append(e.encode(dst, start), e.terminator())
}

// AppendItem appends an item as [Consumer.Consume] returned it, or one made up
// in the same form. In a group is true after an [ItemOpen] and until the
// [ItemClose]. When the item would not arrive as it is, the error is an
// [*EncodeError] and dst comes back as it was.
//
// In contrast to [Encoding.AppendString], it takes whatever the encoding can
// carry, which may be more than a C program sees.
func (e Encoding) AppendItem(dst []byte, item Item, group bool) ([]byte, error) {
	if p, i, reason := e.itemTrouble(&item, group); reason != "" {
		return dst, &EncodeError{Name: string(item.Name), Value: p == valuePart, Offset: i, Reason: reason}
	}
	switch item.Kind {
	case ItemOpen:
		return e.AppendOpen(dst), nil
	case ItemClose:
		return e.AppendClose(dst), nil
	case ItemEnd:
		return e.AppendEnd(dst), nil
	}
	start := len(dst)
	dst = append(e.encode(append(dst, item.Name...), start), e.separator())
	start = len(dst)
	return append(e.encode(append(dst, item.Value...), start), e.terminator()), nil
}

func (e Encoding) appendNumber(dst []byte, name string, value uint64) ([]byte, error) {
	var digits [20]byte
	return appendAttribute(e, dst, name, strconv.AppendUint(digits[:0], value, 10))
}

// appendAttribute appends name and value as they are first, looks at them where
// they are then, and encodes them in place.
func appendAttribute[V ~string | ~[]byte](e Encoding, dst []byte, name string, value V) ([]byte, error) {
	if e == Null {
		if grown := appendNull(dst, name, value); grown != nil {
			return grown, nil
		}
	}
	grown, err := e.appendName(dst, name)
	if err != nil {
		return dst, err
	}
	start := len(grown)
	grown = append(grown, value...)
	if i, reason := e.forbidden(grown[start:], valuePart); reason != "" {
		return dst, &EncodeError{Name: name, Value: true, Offset: i, Reason: reason}
	}
	return append(e.encode(grown, start), e.terminator()), nil
}

// appendNull is the short way for the encoding Null. It returns nil when there is
// anything wrong.
func appendNull[V ~string | ~[]byte](dst []byte, name string, value V) []byte {
	if len(name) == 0 || len(name) == 1 && (name == groupOpen || name == groupClose) {
		return nil
	}
	start := len(dst)
	dst = AppendUnchecked(dst, name, value)
	text := dst[start:]
	if bytes.IndexByte(text, 0) != len(name) || bytes.IndexByte(text[len(name)+1:], 0) != len(value) {
		return nil
	}
	return dst
}

// appendName appends a name and the separator. In the null encoding an empty
// name is the end of the list, and a brace begins or ends a group.
func (e Encoding) appendName(dst []byte, name string) ([]byte, error) {
	if e == Null && len(name) < 2 {
		switch name {
		case "":
			return dst, &EncodeError{Name: name, Reason: "is empty"}
		case groupOpen, groupClose:
			return dst, &EncodeError{Name: name, Reason: "is the mark of a group"}
		}
	}
	start := len(dst)
	grown := append(dst, name...)
	if i, reason := e.forbidden(grown[start:], namePart); reason != "" {
		return dst, &EncodeError{Name: name, Offset: i, Reason: reason}
	}
	return append(e.encode(grown, start), e.separator()), nil
}

// forbidden finds a byte that a name or value cannot hold. A NUL ends a string
// in every C program, whatever the encoding.
func (e Encoding) forbidden(text []byte, p part) (i int, reason string) {
	if i := bytes.IndexByte(text, 0); i >= 0 {
		return i, "holds a NUL byte"
	}
	if e != Plain {
		return 0, ""
	}
	i = e.cut(text, p)
	switch {
	case i < 0:
		return 0, ""
	case text[i] == '\n':
		return i, "holds a newline"
	}
	return i, "holds an equals sign"
}

// itemTrouble tells why an item would not arrive as it is, and which byte of its
// name or value is the trouble.
func (e Encoding) itemTrouble(item *Item, group bool) (p part, i int, reason string) {
	switch item.Kind {
	case ItemEnd:
		return namePart, 0, ""
	case ItemOpen, ItemClose:
		if group == (item.Kind == ItemOpen) {
			return namePart, 0, "is missing: the mark of a group is out of place"
		}
		return namePart, 0, ""
	case ItemAttribute:
		return e.attributeTrouble(item, group)
	}
	return namePart, 0, "is missing: the item has no kind"
}

func (e Encoding) attributeTrouble(item *Item, group bool) (p part, i int, reason string) {
	mark := groupOpen
	if group {
		mark = groupClose
	}
	switch {
	case e == Base64:
		return namePart, 0, ""
	case e == Null && len(item.Name) == 0:
		return namePart, 0, "is empty"
	case e == Null && string(item.Name) == mark:
		return namePart, 0, "is the mark of a group"
	}
	if i := e.cut(item.Name, namePart); i >= 0 {
		return namePart, i, "holds a byte that ends it"
	}
	if i := e.cut(item.Value, valuePart); i >= 0 {
		return valuePart, i, "holds a byte that ends it"
	}
	return namePart, 0, ""
}

// encode puts what dst holds from start on into base64, where the encoding is
// Base64.
func (e Encoding) encode(dst []byte, start int) []byte {
	if e != Base64 {
		return dst
	}
	end := len(dst)
	dst = appendBase64(dst, dst[start:end])
	return dst[:start+copy(dst[start:], dst[end:])]
}
