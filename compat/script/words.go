package script

import (
	"errors"
	"strconv"
	"strings"
)

const space = " \t\r\n"

// split returns the words of a line (src/util/argv_split.c).
func split(line string) []string {
	return strings.FieldsFunc(line, func(c rune) bool { return strings.ContainsRune(space, c) })
}

// atoi reads a number as the C library does: white space, a sign, digits and
// then anything. What does not fit into a long is the nearest long; of a long,
// the lower 32 bits count.
func atoi(text string) int {
	text = strings.TrimLeft(text, space+"\v\f")
	end := 0
	for end < len(text) && (isDigit(text[end]) || end == 0 && (text[0] == '-' || text[0] == '+')) {
		end++
	}
	n, err := strconv.ParseInt(text[:end], 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0
	}
	return int(int32(n))
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
