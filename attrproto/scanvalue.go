package attrproto

import "strconv"

// takeValue converts the value of the attribute that is wanted.
func (s *Scan) takeValue(text []byte, delimiter byte) {
	want := &s.wants[len(s.values)]
	v := span{start: s.pos - 1 - len(text), end: s.pos - 1}
	if s.Encoding == Null && want.Type == TypeString && s.flags&FlagSanitize == 0 {
		s.trace(EventValue, text) // the short way for nearly all values
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
	s.trace(EventValue, plain)
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
	s.mode = nameMode
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
	decoded, ok := AppendUnbase64(s.text, text)
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

func (s *Scan) convertNumber(v *span, t Type, text []byte, start int) bool {
	if t == TypeBool && s.Encoding == Plain {
		switch string(text) {
		case "true":
			v.number = 1
		case "false":
		default:
			s.fail(&Error{Kind: KindBadBool, Text: string(text)}, start)
			return false
		}
		return true
	}
	number, ok := ParseUint(text)
	if !ok {
		s.fail(&Error{Kind: KindBadNumber, Text: string(text)}, start)
		return false
	}
	if t != TypeLong {
		number = uint64(uint32(number))
	}
	if t == TypeBool && number > 1 {
		s.fail(&Error{Kind: KindBadBool, Text: string(text)}, start)
		return false
	}
	v.number = number
	return true
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
	case len(table) >= HashLimit:
		s.fail(&Error{Kind: KindTooMany, Expect: strconv.Itoa(HashLimit)}, start)
		return
	default:
		table[string(s.name)] = string(value)
	}
	s.count++
	s.mode = nameMode
}
