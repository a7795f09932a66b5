package attrproto

// takeName decides what to do about a name.
func (s *Scan) takeName(text []byte, delimiter byte) {
	start := s.pos - 1 - len(text)
	name := text
	if s.Encoding != Null {
		var ok bool
		if name, ok = s.plainText(text, start); !ok {
			return
		}
	}
	s.trace(EventName, name)
	s.traced = false
	alone := s.Encoding == Null || delimiter == '\n'
	if alone && len(text) == 0 {
		s.takeEnd(start)
		return
	}
	if alone && s.takeBrace(name) {
		return
	}
	atEnd := len(s.values) == len(s.wants)
	table := !atEnd && s.wants[len(s.values)].Type == TypeHash
	switch {
	case table || !atEnd && string(name) == s.wants[len(s.values)].Name:
		if s.Encoding != Null && delimiter == '\n' {
			s.fail(&Error{Kind: KindNoValue, Text: string(name), Expect: s.typeName()}, start)
			return
		}
		if table {
			s.name = append(s.name[:0], name...)
		}
		s.mode = valueMode
	case s.flags&FlagExtra != 0:
		s.fail(&Error{Kind: KindExtra, Text: string(name)}, start)
	case s.Encoding == Null || delimiter != '\n':
		s.mode = skipMode
	}
}

// takeEnd ends the scan at the end of the list. That is too early for wishes,
// but not for a table outside a group.
func (s *Scan) takeEnd(start int) {
	atEnd := len(s.values) == len(s.wants)
	open := !atEnd && !s.group && s.wants[len(s.values)].Type == TypeHash
	if atEnd || open || s.flags&FlagMissing == 0 {
		s.finish(nil)
		return
	}
	s.fail(&Error{Kind: KindMissing}, start)
}

// takeBrace goes into a group that a table may come from, or out of it.
func (s *Scan) takeBrace(name []byte) bool {
	if len(s.values) == len(s.wants) || s.wants[len(s.values)].Type != TypeHash {
		return false
	}
	switch {
	case !s.group && string(name) == groupOpen:
		s.group = true
	case s.group && string(name) == groupClose:
		s.group = false
		s.values = append(s.values, span{start: s.pos, end: s.pos})
	default:
		return false
	}
	return true
}

// plainText is a name as a C program sees it. It is borrowed until the next
// value is decoded.
func (s *Scan) plainText(text []byte, start int) (plain []byte, ok bool) {
	if s.Encoding == Base64 {
		decoded, ok := AppendUnbase64(s.text, text)
		if !ok {
			s.fail(&Error{Kind: KindBadBase64, Text: string(cString(text))}, start)
			return nil, false
		}
		text = decoded[len(s.text):]
		s.text = decoded[:len(s.text)] // the name need not stay, the memory may
	}
	return cString(text), true
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
