package daemon

// printable replaces in place, each by a question mark, the bytes that do not
// belong into a log: all but printable ASCII, and, with utf8, what looks like
// UTF-8: a byte from 194 to 254 with continuation bytes after it
// (src/util/printable.c).
func printable(text []byte, utf8 bool) []byte {
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case ' ' <= c && c <= '~':
		case utf8 && 194 <= c && c <= 254 && continues(text, i+1):
			for continues(text, i+1) {
				i++
			}
		default:
			text[i] = '?'
		}
	}
	return text
}

func continues(text []byte, i int) bool {
	return i < len(text) && text[i]&0xc0 == 0x80
}
