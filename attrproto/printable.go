package attrproto

// Printable replaces, in place, every byte by a question mark that is neither
// printable ASCII nor part of something that looks like UTF-8: a byte from 194
// to 254 with continuation bytes after it. It returns its argument.
//
// From src/util/printable.c of Postfix 3.7.
func Printable(text []byte) []byte {
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case ' ' <= c && c <= '~':
		case c >= 194 && c <= 254 && i+1 < len(text) && isContinuation(text[i+1]):
			for i+1 < len(text) && isContinuation(text[i+1]) {
				i++
			}
		default:
			text[i] = '?'
		}
	}
	return text
}

func isContinuation(c byte) bool { return c&0xc0 == 0x80 }
