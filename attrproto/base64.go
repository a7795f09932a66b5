package attrproto

const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

const invalid64 = 0xff

// unbase64 is the value of each letter of the alphabet.
var unbase64 = func() (table [256]byte) {
	for i := range table {
		table[i] = invalid64
	}
	for i := range len(base64Alphabet) {
		table[base64Alphabet[i]] = byte(i)
	}
	return table
}()

// appendBase64 appends data in base64, with padding and without line breaks.
//
// From src/util/base64_code.c.
func appendBase64(dst, data []byte) []byte {
	for ; len(data) >= 3; data = data[3:] {
		dst = appendQuad(dst, data[0], data[1], data[2])
	}
	switch len(data) {
	case 1:
		dst = appendQuad(dst, data[0], 0, 0)
		dst[len(dst)-2], dst[len(dst)-1] = '=', '='
	case 2:
		dst = appendQuad(dst, data[0], data[1], 0)
		dst[len(dst)-1] = '='
	}
	return dst
}

// appendQuad appends the four letters for three bytes.
func appendQuad(dst []byte, a, b, c byte) []byte {
	return append(dst, base64Alphabet[a>>2], base64Alphabet[a<<4&0x3f|b>>4],
		base64Alphabet[b<<2&0x3f|c>>6], base64Alphabet[c&0x3f])
}

// appendUnbase64 appends what the base64 text stands for. It takes what the
// reference takes, which is more than [encoding/base64] does: the length must
// be a multiple of four, padding ends the data and what comes after it is not
// looked at, and bits that the padding leaves over may have any value. When ok
// is false, dst is returned as it was.
//
// From src/util/base64_code.c.
func appendUnbase64(dst, text []byte) (data []byte, ok bool) {
	if len(text)%4 != 0 {
		return dst, false
	}
	data = dst
	for ; len(text) > 0; text = text[4:] {
		triple, n := unquad(text)
		if n == 0 {
			return dst, false
		}
		data = append(data, triple[:n]...)
		if n < 3 {
			break
		}
	}
	return data, true
}

// unquad decodes four letters to n bytes: fewer than three when padding ends
// the data, none when a letter is wrong.
func unquad(text []byte) (triple [3]byte, n int) {
	c0, c1 := unbase64[text[0]], unbase64[text[1]]
	if c0 == invalid64 || c1 == invalid64 {
		return triple, 0
	}
	triple[0] = c0<<2 | c1>>4
	if text[2] == '=' {
		return triple, 1
	}
	c2 := unbase64[text[2]]
	if c2 == invalid64 {
		return triple, 0
	}
	triple[1] = c1<<4 | c2>>2
	if text[3] == '=' {
		return triple, 2
	}
	c3 := unbase64[text[3]]
	if c3 == invalid64 {
		return triple, 0
	}
	triple[2] = c2<<6 | c3
	return triple, 3
}
