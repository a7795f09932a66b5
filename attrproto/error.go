package attrproto

import (
	"errors"
	"io"
	"strconv"
)

// Kind says what was wrong with a list.
type Kind uint8

const (
	// The input came to an end, or to a halt: the result of the scan is -1.
	KindPremature  Kind = iota + 1 // between two strings
	KindUnexpected                 // in the middle of a string
	KindTimeout                    // the read timed out
	// The input is not what the encoding or the type says: the result is -1.
	KindBadNumber  // not a number
	KindBadBool    // not a truth value
	KindBadBase64  // not base64
	KindNoValue    // a name without a value
	KindManyValues // a name with more than one value
	KindTooLong    // a string is longer than the limit (the reference has none)
	// Not what the caller insists on, though well-formed: the result is -1.
	KindMismatch // another value than the one asked for
	KindRejected // the caller's own function does not like its part of the list
	// Violations of the caller's wish list: the count so far is the result.
	KindExtra     // an attribute that was not asked for
	KindMissing   // the list ended too early
	KindDuplicate // a name came a second time, with [FlagExtra]
	KindTooMany   // more names than a table may hold
)

// Class sorts the kinds by who is to blame.
type Class uint8

const (
	ClassIO     Class = iota + 1 // the stream ended or failed
	ClassSyntax                  // the input is malformed
	ClassWish                    // the input is well-formed, but not what was asked for
)

// An Error says why a scan stopped before the end of the caller's wish list.
type Error struct {
	Kind     Kind
	Encoding Encoding
	Wanted   string // what the caller asked for: a name, or words in parentheses
	Value    bool   // a value was being read, not a name
	Skipped  bool   // the input ended in a value that nobody asked for
	Text     string // the offending name or value
	Expect   string // with KindMismatch: the value that was asked for; with KindNoValue: its type; with KindTooLong and KindTooMany: the limit
	// Offset is where the offending string starts, in bytes from the start of
	// the list. From a [Reader] it counts from the start of the stream.
	Offset int
	Err    error // of ClassIO: what the read said; io.ErrUnexpectedEOF at the end
}

// maxText is how many bytes of a malformed value the reference quotes.
const maxText = 100

func (e *Error) Error() string {
	text := "attribute list: " + e.warning("input") + " at offset " + strconv.Itoa(e.Offset)
	if e.Err != nil && e.Err != io.ErrUnexpectedEOF {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the error of the read that failed, if one did.
func (e *Error) Unwrap() error { return e.Err }

// Class tells whose fault the error is.
func (e *Error) Class() Class {
	switch {
	case e.Err != nil:
		return ClassIO
	case e.Kind <= KindTooLong:
		return ClassSyntax
	}
	return ClassWish
}

// malformed tells whether an error of this kind makes the result of a scan -1,
// as opposed to the count so far.
func (e *Error) malformed() bool { return e.Kind < KindExtra }

// Warnings are the lines that the reference logs, less their label: one, with
// two exceptions. When the input ended in a value that nobody asked for, in the
// null encoding, the reference complains about the value and then finds that
// there is no name either. And it leaves it to the caller's function to explain
// [KindRejected].
//
// The stream is what the reference calls the input, for example "scache socket".
// Bytes that are not printable are left for the logger to replace.
func (e *Error) Warnings(stream string) []string {
	if e.Kind == KindRejected {
		return nil
	}
	lines := []string{e.warning(stream)}
	if e.Skipped {
		name := Error{Kind: KindPremature}
		if e.Kind == KindTimeout || timedOut(e.Err) {
			name.Kind = KindTimeout
		}
		lines = append(lines, name.warning(stream))
	}
	return lines
}

// warning says what is wrong in the words of the reference, which has none for
// [KindTooLong] and [KindRejected].
func (e *Error) warning(stream string) string {
	switch e.Kind {
	case KindPremature:
		return "premature end-of-input on " + stream + e.reading()
	case KindTimeout:
		return "timeout on " + stream + e.reading()
	case KindUnexpected:
		return "unexpected end-of-input from " + stream + e.reading()
	case KindBadNumber:
		return "malformed numerical data from " + stream + e.reading() + e.quote()
	case KindBadBool:
		return "malformed boolean value from " + stream + e.reading() + e.quote()
	case KindBadBase64:
		if e.Encoding == Base64 {
			return "malformed base64 data from " + stream + e.quote()
		}
		return "malformed base64 data from " + stream + e.reading() + e.quote()
	case KindNoValue:
		return "missing value for " + e.Expect + " attribute " + e.Text + " from " + stream
	case KindManyValues:
		return "multiple values for attribute " + e.Text + " from " + stream
	case KindTooLong:
		return "string from " + stream + e.reading() + " exceeds the limit of " + e.Expect + " bytes"
	case KindMismatch:
		return "unexpected " + e.Wanted + " " + e.Text + " from " + stream + " (expected: " + e.Expect + ")"
	case KindRejected:
		return "rejected attributes from " + stream
	case KindExtra:
		return "unexpected attribute " + e.Text + " from " + stream + " (expecting: " + e.Wanted + ")"
	case KindMissing:
		return "missing attribute " + e.Wanted + " in input from " + stream
	case KindDuplicate:
		return "duplicate attribute " + e.Text + " in input from " + stream
	case KindTooMany:
		return "attribute count exceeds limit " + e.Expect + " in input from " + stream
	}
	return "unknown trouble with " + stream
}

// readError is the error that ended the input, for those who look at it.
func readError(end error) error {
	if end == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return end
}

// timedOut tells whether the error that ended the input is about time: all are
// but the end of the stream and those that say they are not.
func timedOut(end error) bool {
	if end == nil || end == io.EOF || end == io.ErrUnexpectedEOF {
		return false
	}
	var timeout interface{ Timeout() bool }
	return !errors.As(end, &timeout) || timeout.Timeout()
}

func (e *Error) reading() string {
	if e.Value {
		return " while reading input attribute value"
	}
	return " while reading input attribute name"
}

// quote is the offending text, cut as the reference cuts it.
func (e *Error) quote() string { return ": " + e.Text[:min(len(e.Text), maxText)] }
