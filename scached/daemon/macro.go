package daemon

import (
	"errors"
	"fmt"
	"strings"
)

// errMacro is the text that the reference dies with after it has warned about
// what is wrong in a value; "mail_dict" is what it calls main.cf.
var errMacro = errors.New("dictionary mail_dict: macro processing error")

// eval replaces the references to other parameters in value, and those in what
// replaces them (src/util/mac_parse.c, src/util/mac_expand.c).
//
//	$name ${name} $(name)                    the parameter's value
//	${name?text} ${name?{text}}              text, if the parameter is not empty
//	${name:text} ${name:{text}}              text, if it is
//	${name?{text}:{text}}                    one or the other
//	${{text} == {text} ? {text} : {text}}    also != < <= >= >, by number if both
//	                                         sides are digits; with "level" after
//	                                         the operator, by compatibility level
//	$$                                       a dollar sign
//
// An unknown parameter is empty. Mistakes are warned about one by one.
func (c *config) eval(value string) (string, error) {
	e := expander{config: c}
	e.parse(value)
	switch {
	case e.fatal != nil:
		return "", e.fatal
	case e.failed:
		return "", errMacro
	}
	return string(e.result), nil
}

// lookup returns the expanded value of a parameter, if there is one.
func (c *config) lookup(name string) (value string, ok bool, err error) {
	raw, ok := c.values[name]
	if !ok {
		return "", false, nil
	}
	value, err = c.eval(raw)
	return value, true, err
}

// An expander holds one expansion. Once it has failed nothing more is looked
// up, but the text is still walked, which can bring more warnings.
type expander struct {
	config *config
	result []byte
	level  int   // references being expanded, plus those that failed
	failed bool  // a mistake was found; warned about already
	fatal  error // a mistake that the reference dies of at once
}

const (
	maxLevel        = 100
	macroWhite      = " \t\r\n"
	operatorLetters = "<>!=?+-*/~&|%"
)

func (e *expander) warn(format string, args ...any) {
	e.failed = true
	if e.fatal == nil {
		e.config.warn(fmt.Sprintf(format, args...))
	}
}

// parse finds the literal text and the references in value.
func (e *expander) parse(value string) {
	var literal []byte
	for i := 0; i < len(value); {
		switch {
		case value[i] != '$':
			literal = append(literal, value[i])
			i++
		case i+1 < len(value) && value[i+1] == '$':
			literal = append(literal, '$')
			i += 2
		default:
			if len(literal) > 0 {
				e.literal(string(literal))
				literal = literal[:0]
			}
			reference, end, ok := e.reference(value, i+1)
			if !ok {
				return
			}
			e.expand(reference)
			i = end
		}
	}
	if len(literal) > 0 && !e.failed {
		e.literal(string(literal))
	}
}

// reference returns the inside of the reference whose dollar sign stands before
// start, and where it ends.
func (e *expander) reference(value string, start int) (inside string, end int, ok bool) {
	end = start
	if start < len(value) && (value[start] == '{' || value[start] == '(') {
		start++
		end = closing(value, start)
		if end < 0 {
			e.warn("truncated macro reference: \"%s\"", value)
		}
		if e.failed {
			return "", 0, false
		}
		inside = value[start : end-1]
	} else {
		for end < len(value) && (isAlnum(value[end]) || value[end] == '_') {
			end++
		}
		inside = value[start:end]
	}
	if inside == "" {
		e.warn("empty macro name: \"%s\"", value)
		return "", 0, false
	}
	return inside, end, true
}

// closing returns the position after the parenthesis that closes the one before
// start, or -1. Only parentheses of the same kind count.
func closing(s string, start int) int {
	opened := s[start-1]
	closed := byte('}')
	if opened == '(' {
		closed = ')'
	}
	level := 1
	for i := start; i < len(s); i++ {
		switch s[i] {
		case opened:
			level++
		case closed:
			level--
		}
		if level == 0 {
			return i + 1
		}
	}
	return -1
}

// enter counts nesting. It reports whether there is any point in going on; if
// there is, the caller lowers the level again when it succeeds.
func (e *expander) enter(text string) bool {
	e.level++
	if e.level > maxLevel+1 {
		e.warn("unreasonable macro call nesting: \"%s\"", text)
	}
	return !e.failed
}

func (e *expander) literal(text string) {
	if !e.enter(text) {
		return
	}
	e.result = append(e.result, text...)
	e.level--
}

// expand appends what a reference stands for.
func (e *expander) expand(inside string) {
	if !e.enter(inside) {
		return
	}
	var (
		value    string
		operator byte // '?', ':', or 0 at the end
		rest     string
		ok       bool
	)
	if s := strings.TrimLeft(inside, macroWhite); s != "" && s[0] == '{' {
		value, operator, rest, ok = e.relation(s)
	} else {
		value, operator, rest, ok = e.parameter(inside)
	}
	if !ok {
		return
	}
	if operator == 0 {
		if value != "" {
			e.parse(value)
		}
	} else if !e.choose(value != "", operator, rest) {
		return
	}
	e.level--
}

// parameter looks up the name at the start of a reference.
func (e *expander) parameter(inside string) (value string, operator byte, rest string, ok bool) {
	start := len(inside) - len(strings.TrimLeft(inside, macroWhite))
	for i := start; ; i++ {
		next := len(inside) - len(strings.TrimLeft(inside[i:], macroWhite))
		if next == len(inside) {
			return e.config.values[inside[start:i]], 0, "", true
		}
		if c := inside[next]; c == '?' || c == ':' {
			return e.config.values[inside[start:i]], c, inside[next+1:], true
		}
		if !isAlnum(inside[i]) && inside[i] != '_' {
			e.warn("attribute name syntax error at: \"...%s>>>%s\"", inside[:i], clip(inside[i:], 20))
			return "", 0, "", false
		}
	}
}

// choose appends one of the texts after the question mark or the colon.
func (e *expander) choose(condition bool, operator byte, rest string) bool {
	if operator == '?' {
		text, after, ok := e.operand(rest)
		if !ok {
			return false
		}
		if condition {
			e.parse(text)
		}
		if after == "" {
			return true
		}
		if after[0] != ':' {
			e.warn("\":\" expected at: \"...%s}>>>%s\"", text, clip(after, 20))
			return false
		}
		rest = after[1:]
	}
	text, after, ok := e.operand(rest)
	if !ok {
		return false
	}
	if !condition {
		e.parse(text)
	}
	if after != "" {
		e.warn("unexpected input at: \"...%s}>>>%s\"", text, clip(after, 20))
		return false
	}
	return true
}

// operand returns the text in braces at the start of s and what follows it, or
// all of s if it does not start with a brace.
func (e *expander) operand(s string) (text, after string, ok bool) {
	if braced := strings.TrimLeft(s, macroWhite); braced != "" && braced[0] == '{' {
		return e.payload(braced)
	}
	return s, "", true
}

// payload returns what is between the brace that s starts with and the one that
// closes it, and what follows with its leading white space skipped.
func (e *expander) payload(s string) (text, after string, ok bool) {
	end := closing(s, 1)
	if end < 0 {
		e.warn("unbalanced {} in attribute expression: \"%s\"", s)
		return "", "", false
	}
	return s[1 : end-1], strings.TrimLeft(s[end:], macroWhite), true
}
