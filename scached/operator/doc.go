// Package operator is what an administrator sees of a connection cache: screens,
// tables and JSON, made of what package control is told. [WriteStatus], [WriteList]
// and [WriteFlushed] write one each. What clients have sent is escaped. The package
// asks nothing and changes nothing by itself.
package operator

import (
	"strconv"
	"strings"
)

// Escaped is text of a client's, made fit for a terminal.
func Escaped(text string) string {
	quoted := strconv.QuoteToGraphic(text)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// Number is a count with its thousands apart.
func Number(n uint64) string {
	digits := strconv.FormatUint(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// percent is a part of a whole, cut and not rounded, as in the statistics lines.
func percent(part, whole uint64) string {
	if whole == 0 {
		return "-"
	}
	return strconv.FormatUint(part*100/whole, 10) + "%"
}
