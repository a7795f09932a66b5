package daemon

import (
	"fmt"
	"math"
	"strings"
)

// relation evaluates the comparison that a reference starts with. A true one
// has the value "true", a false one is empty.
func (e *expander) relation(s string) (value string, operator byte, rest string, ok bool) {
	left, after, ok := e.payload(s)
	if !ok {
		return "", 0, "", false
	}
	op := after[:len(after)-len(strings.TrimLeft(after, operatorLetters))]
	holds, known := relations[op]
	if !known {
		// The stray quotation marks are the reference's.
		e.warn("\"==\" or \"!=\"\" or \"<\"\" or \"<=\"\" or \">=\"\" or \">\" expected at: \"...%s}>>>%s\"",
			left, clip(after, 20))
		return "", 0, "", false
	}
	after = after[len(op):]
	suffix := after[:len(after)-len(strings.TrimLeftFunc(after, isSuffixLetter))]
	if suffix != "" && suffix != "level" {
		e.warn("bad operator suffix at: \"...%s>>>%s\"", op, suffix)
		return "", 0, "", false
	}
	after = after[len(suffix):]
	braced := strings.TrimLeft(after, macroWhite)
	if braced == "" || braced[0] != '{' {
		e.warn("\"{expression}\" expected at: \"...{%s} %s>>>%s\"", left, op, clip(after, 20))
		return "", 0, "", false
	}
	right, after, ok := e.payload(braced)
	if !ok {
		return "", 0, "", false
	}
	order := e.compare(e.side(left), e.side(right), suffix)
	if e.failed {
		return "", 0, "", false
	}
	if holds(order) {
		value = "true"
	}
	if after == "" {
		return value, 0, "", true
	}
	if after[0] != '?' && after[0] != ':' {
		e.warn("\"?\" or \":\" expected at: \"...}>>>%s\"", clip(after, 20))
		return "", 0, "", false
	}
	return value, after[0], after[1:], true
}

var relations = map[string]func(order int) bool{
	"==": func(order int) bool { return order == 0 },
	"!=": func(order int) bool { return order != 0 },
	"<":  func(order int) bool { return order < 0 },
	"<=": func(order int) bool { return order <= 0 },
	">=": func(order int) bool { return order >= 0 },
	">":  func(order int) bool { return order > 0 },
}

func isSuffixLetter(r rune) bool { return r < 0x80 && isAlnum(byte(r)) }

// side expands one side of a comparison, with a nesting count of its own.
func (e *expander) side(text string) string {
	inner := expander{config: e.config, fatal: e.fatal}
	inner.parse(text)
	e.failed = e.failed || inner.failed
	e.fatal = inner.fatal
	return string(inner.result)
}

// compare returns a number below, at or above zero. Both sides are compared
// even if the expansion of one has failed: that is when the reference still
// dies of a number that it cannot hold.
func (e *expander) compare(left, right, suffix string) int {
	if e.fatal != nil {
		return 0
	}
	if suffix == "level" {
		l, ok := e.compatibilityLevel(left)
		if !ok {
			return 0
		}
		r, _ := e.compatibilityLevel(right)
		return compareInt(l, r)
	}
	if allDigits(left) && allDigits(right) {
		return compareInt(e.number(left), e.number(right))
	}
	return strings.Compare(left, right)
}

func compareInt(left, right int64) int {
	switch {
	case left < right:
		return -1
	case left > right:
		return 1
	}
	return 0
}

func (e *expander) number(s string) int64 {
	n, _, inRange := strtol(s)
	if !inRange && e.fatal == nil {
		e.fatal = fmt.Errorf("mac_exp_eval: bad conversion: %s", s)
		e.failed = true
	}
	return n
}

func (e *expander) compatibilityLevel(s string) (int64, bool) {
	level, err := compatibilityLevel(s)
	if err != nil {
		e.warn("%s", err)
	}
	return level, err == nil
}

// compatibilityLevel reads major[.minor[.patch]] into one number
// (src/global/compat_level.c).
func compatibilityLevel(s string) (int64, error) {
	limits := [...]int64{math.MaxInt64 >> 20, 1<<10 - 1, 1<<10 - 1}
	shifts := [...]int{20, 10, 0}
	var level int64
	rest := s
	for i, limit := range limits {
		n, after, inRange := strtol(rest)
		if len(after) == len(rest) || !inRange || n < 0 || n > limit {
			break
		}
		level |= n << shifts[i]
		if after == "" {
			return level, nil
		}
		if after[0] != '.' {
			break
		}
		rest = after[1:]
	}
	return 0, fmt.Errorf("malformed compatibility level syntax: \"%s\"", s)
}
