package attrproto

import "bytes"

// ItemKind says what an [Item] is.
type ItemKind uint8

const (
	ItemAttribute ItemKind = iota + 1 // a name and a value
	ItemOpen                          // the start of a group
	ItemClose                         // the end of a group
	ItemEnd                           // the end of the list
)

// An Item is one piece of a list, with nobody's wishes in mind.
type Item struct {
	Kind ItemKind
	// Name and Value of an [ItemAttribute], as they are on the wire: in the
	// encoding [Base64] as base64. [Encoding.AppendText] decodes them.
	Name, Value []byte
}

// Consume takes the next item off src. The item is borrowed: it is part of
// src. No bytes consumed and no error mean that src ends too early. In a group
// is true after an [ItemOpen] and until the [ItemClose].
//
// Values are what they are on the wire: whether one is a number, text or data
// is for those to know who know the protocol. An error is an [*Error] that
// counts its offset from the start of src.
//
// The grammar is that of src/util/attr_scan0.c, attr_scan64.c and
// attr_scan_plain.c.
func (e Encoding) Consume(src []byte, group bool) (item Item, n int, err error) {
	i := e.cut(src, false)
	if i < 0 {
		return Item{}, 0, nil
	}
	name, n := src[:i], i+1
	if e == Base64 && !validBase64(name) {
		return Item{}, 0, &Error{Kind: KindBadBase64, Encoding: e, Text: string(cString(name))}
	}
	if e == Null || src[i] == '\n' {
		if len(name) == 0 {
			return Item{Kind: ItemEnd}, n, nil
		}
		if kind := e.brace(name, group); kind != 0 {
			return Item{Kind: kind}, n, nil
		}
	}
	if e != Null && src[i] == '\n' {
		return Item{}, 0, &Error{Kind: KindNoValue, Encoding: e, Text: string(e.show(name)), Expect: "string"}
	}
	i = e.cut(src[n:], true)
	if i < 0 {
		return Item{}, 0, nil
	}
	item = Item{Kind: ItemAttribute, Name: name, Value: src[n : n+i]}
	if e == Base64 {
		if err := item.checkBase64(src[n+i]); err != nil {
			err.Encoding, err.Value, err.Offset = e, true, n
			return Item{}, 0, err
		}
	}
	return item, n + i + 1, nil
}

// brace tells whether a name without a value is the mark of a group.
func (e Encoding) brace(name []byte, group bool) ItemKind {
	text := name
	if e == Base64 {
		var decoded [16]byte // more than enough for a brace
		text, _ = AppendUnbase64(decoded[:0], name)
	}
	text = cString(text)
	switch {
	case !group && string(text) == groupOpen:
		return ItemOpen
	case group && string(text) == groupClose:
		return ItemClose
	}
	return 0
}

// show is a valid string as a C program sees it.
func (e Encoding) show(text []byte) []byte {
	if e == Base64 {
		text, _ = AppendUnbase64(nil, text)
	}
	return cString(text)
}

// checkBase64 finds what is wrong with the value, which that byte ended.
func (item *Item) checkBase64(delimiter byte) *Error {
	switch {
	case !validBase64(item.Value):
		return &Error{Kind: KindBadBase64, Text: string(cString(item.Value))}
	case delimiter != '\n':
		return &Error{Kind: KindManyValues, Text: string(Base64.show(item.Name))}
	}
	return nil
}

// AppendText appends what a name or value on the wire stands for: itself,
// except that [Base64] is decoded. When ok is false, dst is returned as it was.
func (e Encoding) AppendText(dst, wire []byte) (text []byte, ok bool) {
	if e == Base64 {
		return AppendUnbase64(dst, wire)
	}
	return append(dst, wire...), true
}

// ConsumeMore looks whether a list goes on, which a scan with the flag [FlagMore]
// leaves open. If it does not, its end is taken off: n is 1. An empty src
// tells nothing; it needs a byte.
//
// From attr_scan_more0 in src/util/attr_scan0.c and its siblings.
func (e Encoding) ConsumeMore(src []byte) (more bool, n int) {
	if len(src) > 0 && src[0] == e.terminator() {
		return false, 1
	}
	return true, 0
}

// AppendItem appends an item as [Encoding.Consume] returned it, or one made up
// in the same form. In a group is what it is for Consume. The error is an
// [*EncodeError] when Consume would not return the same item; dst then comes
// back as it was.
func (e Encoding) AppendItem(dst []byte, item Item, group bool) ([]byte, error) {
	before := len(dst)
	switch item.Kind {
	case ItemOpen:
		dst = e.AppendOpen(dst)
	case ItemClose:
		dst = e.AppendClose(dst)
	case ItemEnd:
		dst = e.AppendEnd(dst)
	default:
		dst = append(dst, item.Name...)
		dst = append(dst, e.separator())
		dst = append(dst, item.Value...)
		dst = append(dst, e.terminator())
	}
	again, n, err := e.Consume(dst[before:], group)
	if err != nil || n != len(dst)-before || !again.equal(item) {
		return dst[:before], &EncodeError{Name: string(item.Name), Reason: "or the value would not arrive as it is"}
	}
	return dst, nil
}

func (item *Item) equal(other Item) bool {
	return item.Kind == other.Kind && bytes.Equal(item.Name, other.Name) && bytes.Equal(item.Value, other.Value)
}
