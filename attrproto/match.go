package attrproto

import "strconv"

// wanting tells whether the wish that comes next is of that type.
func (s *Scan) wanting(t Type) bool {
	return len(s.values) < len(s.wants) && s.wants[len(s.values)].Type == t
}

// takeName decides what to do about a name, which that byte ended.
func (s *Scan) takeName(wire []byte, end byte) {
	start := s.lexer.pos - 1 - len(wire)
	name := wire
	if s.Encoding != Null {
		var ok bool
		if name, ok = s.decodeName(wire, start); !ok {
			return
		}
	}
	if s.Trace != nil {
		s.traceText("name", name)
	}
	s.traced = false
	table := s.wanting(TypeHash)
	kind := ItemAttribute // what any name is in the encoding Null, but for an empty one and a mark
	if s.Encoding != Null || table || len(wire) == 0 {
		kind = s.Encoding.itemKind(wire, name, end, s.mark(table))
	}
	switch {
	case kind == ItemEnd:
		s.takeEnd(start)
	case kind == ItemOpen:
		s.group = true
	case kind == ItemClose:
		s.group = false
		s.values = append(s.values, span{start: s.lexer.pos, end: s.lexer.pos})
	case table || len(s.values) < len(s.wants) && string(name) == s.wants[len(s.values)].Name:
		if kind == 0 {
			s.fail(&Error{Kind: KindNoValue, Text: string(name), Expect: s.typeName()}, start)
			return
		}
		if table {
			s.name = append(s.name[:0], name...)
		}
		s.part = valuePart
	case s.flags&FlagExtra != 0:
		s.fail(&Error{Kind: KindExtra, Text: string(name)}, start)
	case kind == ItemAttribute:
		s.part = restPart
	}
}

// mark is the name that begins or ends a group here, if any does.
func (s *Scan) mark(table bool) string {
	switch {
	case !table:
		return ""
	case s.group:
		return groupClose
	}
	return groupOpen
}

// takeEnd ends the scan at the end of the list. That is too early for wishes,
// but not for a table outside a group.
func (s *Scan) takeEnd(start int) {
	atEnd := len(s.values) == len(s.wants)
	open := !s.group && s.wanting(TypeHash)
	if atEnd || open || s.flags&FlagMissing == 0 {
		s.finish(nil)
		return
	}
	s.fail(&Error{Kind: KindMissing}, start)
}

// decodeName is a name as a C program sees it. It is borrowed until the next
// value is decoded.
func (s *Scan) decodeName(wire []byte, start int) (name []byte, ok bool) {
	grown, name, ok := s.Encoding.decode(s.text, wire)
	if !ok {
		s.fail(&Error{Kind: KindBadBase64, Text: string(cString(wire))}, start)
		return nil, false
	}
	s.text = grown[:len(s.text)] // the name need not stay, the memory may
	return cString(name), true
}

// typeName is what the reference calls the type of the attribute that lacks a
// value.
func (s *Scan) typeName() string {
	switch s.wants[len(s.values)].Type {
	case TypeInt, TypeLong:
		return "number"
	case TypeBool:
		if s.Encoding == Plain {
			return "number"
		}
		return "boolean"
	case TypeData:
		return "data"
	}
	return "string"
}

// takeValue converts the value of the attribute that is wanted.
func (s *Scan) takeValue(text []byte, delimiter byte) {
	want := &s.wants[len(s.values)]
	v := span{start: s.lexer.pos - 1 - len(text), end: s.lexer.pos - 1}
	if s.Encoding == Null && want.Type == TypeString && s.flags&FlagSanitize == 0 { // nearly all values
		if s.Trace != nil {
			s.traceText("value", text)
		}
		s.grant(want, v, text)
		return
	}
	start := v.start
	if s.Encoding == Base64 && !s.decode(&v, text, start) {
		return
	}
	whole := text
	if v.decoded {
		whole = s.text[v.start:v.end]
	}
	plain := whole
	if s.Encoding != Null {
		plain = cString(whole)
	}
	if s.Trace != nil {
		s.traceText("value", plain)
	}
	switch want.Type {
	case TypeInt, TypeLong, TypeBool:
		if !s.convertNumber(&v, want.Type, plain, start) {
			return
		}
	case TypeData:
		if s.Encoding != Base64 && !s.decode(&v, whole, start) {
			return
		}
	}
	if s.Encoding == Base64 && delimiter != '\n' {
		s.fail(&Error{Kind: KindManyValues, Text: string(s.attribute(want))}, start)
		return
	}
	switch want.Type {
	case TypeHash:
		s.takeEntry(want, plain, start)
		if v.decoded {
			s.text = s.text[:v.start] // the table has a copy
		}
		return
	case TypeStreq:
		if string(plain) != want.Expect {
			s.fail(&Error{Kind: KindMismatch, Text: string(plain), Expect: want.Expect}, start)
			return
		}
		s.count--
	}
	if want.Type != TypeData {
		v.end = v.start + len(plain)
	}
	if s.flags&FlagSanitize != 0 && want.Type == TypeString {
		s.sanitize(&v, plain)
	}
	s.grant(want, v, text)
}

// grant keeps the value of a wish, and goes on to the next one.
func (s *Scan) grant(want *Want, v span, text []byte) {
	s.values = append(s.values, v)
	s.count++
	s.part = namePart
	if want.To != nil {
		if v.decoded {
			text = s.text[v.start:v.end]
		} else {
			text = text[:v.end-v.start]
		}
		want.deliver(text, v.number)
	}
}

// attribute is the name of the attribute whose value was read.
func (s *Scan) attribute(want *Want) []byte {
	if want.Type == TypeHash {
		return s.name
	}
	return []byte(want.Name)
}

// decode turns base64 into a value in the scan's own memory.
func (s *Scan) decode(v *span, text []byte, start int) bool {
	decoded, ok := appendUnbase64(s.text, text)
	if !ok {
		s.fail(&Error{Kind: KindBadBase64, Text: string(cString(text))}, start)
		return false
	}
	v.start, v.end, v.decoded = len(s.text), len(decoded), true
	s.text = decoded
	return true
}

// sanitize makes a value printable, in the scan's own memory.
func (s *Scan) sanitize(v *span, text []byte) {
	if !v.decoded {
		v.start, v.decoded = len(s.text), true
		s.text = append(s.text, text...)
		v.end = len(s.text)
	}
	Printable(s.text[v.start:v.end])
}

// takeEntry puts an attribute into a table.
func (s *Scan) takeEntry(want *Want, value []byte, start int) {
	table := want.To.(map[string]string)
	if s.flags&FlagSanitize != 0 {
		value = Printable(append([]byte(nil), value...))
		Printable(s.name)
	}
	_, known := table[string(s.name)]
	switch {
	case known && s.flags&FlagExtra != 0:
		s.fail(&Error{Kind: KindDuplicate, Text: string(s.name)}, start)
		return
	case known:
	case len(table) >= hashLimit:
		s.fail(&Error{Kind: KindTooMany, Expect: strconv.Itoa(hashLimit)}, start)
		return
	default:
		table[string(s.name)] = string(value)
	}
	s.count++
	s.part = namePart
}
