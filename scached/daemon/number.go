package daemon

import (
	"math"
	"strings"
)

// The numbers in main.cf and on the command line are what the C library reads:
// leading white space and a sign are welcome, and what follows the digits is
// the caller's business.

func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isAlnum(c byte) bool { return isAlpha(c) || isDigit(c) }

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

// strtol reads a decimal number at the start of s as strtol(3) does. It returns
// the number, what follows it, and whether it fits into 64 bits; one that does
// not fit is the nearest that does. Without digits the number is 0 and the rest
// is all of s.
func strtol(s string) (n int64, rest string, inRange bool) {
	i := 0
	for i < len(s) && isSpace(s[i]) {
		i++
	}
	negative := false
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		negative = s[i] == '-'
		i++
	}
	if i == len(s) || !isDigit(s[i]) {
		return 0, s, true
	}
	inRange = true
	for ; i < len(s) && isDigit(s[i]); i++ {
		digit := int64(s[i] - '0')
		switch {
		case !inRange:
		case n < (math.MinInt64+digit)/10:
			inRange = false
		default:
			// Counting downwards reaches the smallest number too.
			n = n*10 - digit
		}
	}
	rest = s[i:]
	switch {
	case !inRange && negative:
		return math.MinInt64, rest, false
	case !inRange, n == math.MinInt64 && !negative:
		return math.MaxInt64, rest, false
	case negative:
		return n, rest, true
	}
	return -n, rest, true
}

// atoi is atoi(3): the number at the start of s, cut to 32 bits.
func atoi(s string) int {
	n, _, _ := strtol(s)
	return int(int32(n))
}

// octal reads octal digits up to the first other character, cut to 32 bits;
// past 64 bits all of them are ones, as strtoul(3) leaves them.
func octal(s string) uint32 {
	var n uint64
	for i := 0; i < len(s) && '0' <= s[i] && s[i] <= '7'; i++ {
		if n > math.MaxUint64>>3 {
			return math.MaxUint32
		}
		n = n<<3 | uint64(s[i]-'0')
	}
	return uint32(n)
}

func trimSpace(s string) string {
	return strings.Trim(s, " \t\n\v\f\r")
}

// clip returns the first n bytes of s, or all of it.
func clip(s string, n int) string { return s[:min(n, len(s))] }
