package attrproto

// ItemKind says what an [Item] is.
type ItemKind uint8

const (
	ItemAttribute ItemKind = iota + 1 // a name and a value
	ItemOpen                          // the start of a group
	ItemClose                         // the end of a group
	ItemEnd                           // the end of the list
)

// An Item is one piece of a list.
type Item struct {
	Kind        ItemKind
	Name, Value []byte // of an [ItemAttribute]; in the encoding [Base64] they are decoded
}

// A Consumer takes lists apart, item by item, with nobody's wishes in mind:
//
//	c := attrproto.Consumer{Encoding: attrproto.Null}
//	for len(input) > 0 {
//		item, n, err := c.Consume(input)
//		if n == 0 || err != nil {
//			break
//		}
//		input = input[n:]
//	}
//
// Set Encoding before the first call. The memory that a Consumer needs is that
// for decoding base64, which is used again.
type Consumer struct {
	Encoding Encoding

	lexer lexer
	part  part
	group bool   // between the braces of a group
	name  int    // where in src the name of the item ends whose value comes next
	text  []byte // decoded name and value
	split int    // where in text the name ends
}

// Consume takes the next item off src. The item is borrowed: it is part of src,
// or valid until the next call. No bytes consumed and no error mean that src
// ends too early; the next call wants the same bytes and more, of which it looks
// only at those that it has not seen.
//
// Values are what they are on the wire, apart from base64 in the encoding
// [Base64]: whether one is a number, text or data is for those to know who know
// the protocol. An error is an [*Error] that counts its offset from the start of
// src; it is not possible to go on after it.
//
// The grammar is that of src/util/attr_scan0.c, attr_scan64.c and
// attr_scan_plain.c.
func (c *Consumer) Consume(src []byte) (item Item, n int, err error) {
	if c.part == namePart {
		wire, end, trouble := c.lexer.next(src, c.Encoding, namePart, 0)
		if trouble != 0 {
			return Item{}, 0, nil
		}
		kind, err := c.takeName(wire, end)
		if err != nil {
			return Item{}, 0, c.fail(err)
		}
		if kind != ItemAttribute {
			c.group = kind == ItemOpen
			return Item{Kind: kind}, c.done(), nil
		}
		c.part, c.name = valuePart, len(wire)
	}
	start := c.lexer.pos
	wire, end, trouble := c.lexer.next(src, c.Encoding, valuePart, 0)
	if trouble != 0 {
		return Item{}, 0, nil
	}
	item = Item{Kind: ItemAttribute, Name: src[:c.name:c.name], Value: wire}
	if c.Encoding == Base64 {
		if err := c.decodeValue(&item, end); err != nil {
			err.Value, err.Offset = true, start
			return Item{}, 0, c.fail(err)
		}
	}
	return item, c.done(), nil
}

// takeName tells what the item is that begins with a name. What a name in
// base64 stands for is in c.text then.
func (c *Consumer) takeName(wire []byte, end byte) (ItemKind, *Error) {
	grown, name, ok := c.Encoding.decode(c.text[:0], wire)
	if !ok {
		return 0, &Error{Kind: KindBadBase64, Text: string(cString(wire))}
	}
	c.text, c.split = grown, len(grown)
	mark := groupOpen
	if c.group {
		mark = groupClose
	}
	name = cString(name)
	kind := c.Encoding.itemKind(wire, name, end, mark)
	if kind == 0 {
		return 0, &Error{Kind: KindNoValue, Text: string(name), Expect: "string"}
	}
	return kind, nil
}

// decodeValue decodes the value of an item, which that byte ended.
func (c *Consumer) decodeValue(item *Item, end byte) *Error {
	grown, value, ok := c.Encoding.decode(c.text, item.Value)
	if !ok {
		return &Error{Kind: KindBadBase64, Text: string(cString(item.Value))}
	}
	c.text = grown
	item.Name, item.Value = grown[:c.split:c.split], value
	if end != '\n' {
		return &Error{Kind: KindManyValues, Text: string(cString(item.Name))}
	}
	return nil
}

// done ends an item, and returns its length.
func (c *Consumer) done() (n int) {
	n = c.lexer.pos
	c.lexer, c.part = lexer{}, namePart
	return n
}

func (c *Consumer) fail(err *Error) *Error {
	c.done()
	err.Encoding = c.Encoding
	return err
}

// ConsumeMore looks whether a list goes on that a scan with the flag [FlagMore]
// left open. If it does not, its end is taken off: n is 1. An empty src tells
// nothing; it needs a byte.
//
// From attr_scan_more0 in src/util/attr_scan0.c and its siblings.
func (e Encoding) ConsumeMore(src []byte) (more bool, n int) {
	if len(src) > 0 && src[0] == e.terminator() {
		return false, 1
	}
	return true, 0
}
