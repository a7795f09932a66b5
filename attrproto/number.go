package attrproto

import "math"

// parseUint reads a number the way attr_scan does, which is sscanf("%lu%c"):
// leading white space, one sign and leading zeros are accepted, anything after
// the digits is not. A minus sign negates modulo 2^64, and what does not fit
// in 64 bits becomes all ones. An int is the low 32 bits of the result.
//
// From attr_scan0_number in src/util/attr_scan0.c.
func parseUint(text []byte) (value uint64, ok bool) {
	i := 0
	for i < len(text) && isSpace(text[i]) {
		i++
	}
	negative := false
	if i < len(text) && (text[i] == '+' || text[i] == '-') {
		negative = text[i] == '-'
		i++
	}
	if i == len(text) {
		return 0, false
	}
	overflow := false
	for ; i < len(text); i++ {
		digit := uint64(text[i] - '0')
		if digit > 9 {
			return 0, false
		}
		if value > (math.MaxUint64-digit)/10 {
			overflow = true
		}
		value = value*10 + digit
	}
	switch {
	case overflow:
		return math.MaxUint64, true
	case negative:
		return -value, true
	}
	return value, true
}

// isSpace is isspace(3) in the C locale.
func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// convertNumber turns the text of a value into the number that it stands for.
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
	number, ok := parseUint(text)
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
