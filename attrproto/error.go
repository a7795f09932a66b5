package attrproto

import "strconv"

// Kind says what was wrong with a list.
type Kind uint8

const (
	// Malformed input: the result of the scan is -1.
	Premature  Kind = iota + 1 // the input ended between two strings
	Unexpected                 // the input ended in the middle of a string
	Timeout                    // the read timed out
	BadNumber                  // not a number
	TooLong                    // a string is longer than the limit (the reference has none)
	Mismatch                   // not the value that the caller insists on
	// Violations of the caller's wish list: the count so far is the result.
	Extra   // an attribute that was not asked for
	Missing // the list ended too early
)

// An Error says why a scan stopped before the end of the caller's wish list.
type Error struct {
	Kind   Kind
	Wanted string // name of the attribute that the caller asked for
	Value  bool   // a value was being read, not a name
	Text   string // the offending name or value
	Expect string // with Mismatch: the value that was asked for
	Offset int    // in bytes, from the start of the list
}

// maxText is how many bytes of a malformed value the reference quotes.
const maxText = 100

func (e *Error) Error() string {
	return "attribute list: " + e.Warning("input") + " at offset " + strconv.Itoa(e.Offset)
}

// Warning is the line that the reference logs, less its label. The stream is
// what the reference calls the input, for example "scache socket". Bytes that
// are not printable are left for the logger to replace.
func (e *Error) Warning(stream string) string {
	what := " while reading input attribute name"
	if e.Value {
		what = " while reading input attribute value"
	}
	switch e.Kind {
	case Premature:
		return "premature end-of-input on " + stream + what
	case Timeout:
		return "timeout on " + stream + what
	case Unexpected:
		return "unexpected end-of-input from " + stream + what
	case BadNumber:
		return "malformed numerical data from " + stream + what + ": " + e.Text[:min(len(e.Text), maxText)]
	case TooLong:
		return "string from " + stream + what + " exceeds the limit of " + e.Expect + " bytes"
	case Mismatch:
		return "unexpected " + e.Wanted + " " + e.Text + " from " + stream + " (expected: " + e.Expect + ")"
	case Extra:
		return "unexpected attribute " + e.Text + " from " + stream + " (expecting: " + e.Wanted + ")"
	case Missing:
		return "missing attribute " + e.Wanted + " in input from " + stream
	}
	return "unknown trouble with " + stream
}

// Malformed tells whether the input was broken, as opposed to well-formed but
// not what the caller asked for.
func (e *Error) Malformed() bool { return e.Kind < Extra }
