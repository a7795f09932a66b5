package attrproto

import "strconv"

// takeValue converts the value of the attribute that is wanted.
func (s *Scan) takeValue(text []byte, delimiter byte) {
	want := &s.wants[len(s.values)]
	v := span{start: s.pos - 1 - len(text), end: s.pos - 1}
	if s.Encoding == Null && want.Type == String && s.flags&Sanitize == 0 {
		s.trace(Value, text) // the short way for nearly all values
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
	s.trace(Value, plain)
	switch want.Type {
	case Int, Long, Bool:
		if !s.convertNumber(&v, want.Type, plain, start) {
			return
		}
	case Data:
		if s.Encoding != Base64 && !s.decode(&v, whole, start) {
			return
		}
	}
	if s.Encoding == Base64 && delimiter != '\n' {
		s.fail(&Error{Kind: ManyValues, Text: string(s.attribute(want))}, start)
		return
	}
	switch want.Type {
	case Hash:
		s.takeEntry(want, plain, start)
		if v.decoded {
			s.text = s.text[:v.start] // the table has a copy
		}
		return
	case Streq:
		if string(plain) != want.Expect {
			s.fail(&Error{Kind: Mismatch, Text: string(plain), Expect: want.Expect}, start)
			return
		}
		s.count--
	}
	if want.Type != Data {
		v.end = v.start + len(plain)
	}
	if s.flags&Sanitize != 0 && want.Type == String {
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
	if want.Type == Hash {
		return s.name
	}
	return []byte(want.Name)
}

// decode turns base64 into a value in the scan's own memory.
func (s *Scan) decode(v *span, text []byte, start int) bool {
	decoded, ok := AppendUnbase64(s.text, text)
	if !ok {
		s.fail(&Error{Kind: BadBase64, Text: string(cString(text))}, start)
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
	if t == Bool && s.Encoding == Plain {
		switch string(text) {
		case "true":
			v.number = 1
		case "false":
		default:
			s.fail(&Error{Kind: BadBool, Text: string(text)}, start)
			return false
		}
		return true
	}
	number, ok := ParseUint(text)
	if !ok {
		s.fail(&Error{Kind: BadNumber, Text: string(text)}, start)
		return false
	}
	if t != Long {
		number = uint64(uint32(number))
	}
	if t == Bool && number > 1 {
		s.fail(&Error{Kind: BadBool, Text: string(text)}, start)
		return false
	}
	v.number = number
	return true
}

// takeEntry puts an attribute into a table.
func (s *Scan) takeEntry(want *Want, value []byte, start int) {
	table := want.To.(map[string]string)
	if s.flags&Sanitize != 0 {
		value = Printable(append([]byte(nil), value...))
		Printable(s.name)
	}
	_, known := table[string(s.name)]
	switch {
	case known && s.flags&WarnExtra != 0:
		s.fail(&Error{Kind: Duplicate, Text: string(s.name)}, start)
		return
	case known:
	case len(table) >= HashLimit:
		s.fail(&Error{Kind: TooMany, Expect: strconv.Itoa(HashLimit)}, start)
		return
	default:
		table[string(s.name)] = string(value)
	}
	s.count++
	s.mode = nameMode
}
