package attrproto

import (
	"bytes"
	"strconv"
)

// Flags change how a Scan treats what is not on the wish list.
type Flags uint8

const (
	FlagMissing  Flags = 1 << iota // it is an error that the list ends too early
	FlagExtra                      // it is an error that the list has other attributes
	FlagMore                       // stop after the last wish, leave the rest of the list
	FlagSanitize                   // pass received strings through Printable
	FlagStrict   = FlagMissing | FlagExtra
)

// Names that stand for something else in messages.
const (
	listTerminator    = "(list terminator)"
	anyNameOrListEnd  = "(any attribute name or list terminator)"
	anyNameOrGroupEnd = "(any attribute name or '}')"
)

// span is where a value is: in the list, or decoded in Scan.text.
type span struct {
	start, end int
	number     uint64
	decoded    bool
}

// mode is what kind of string comes next.
type mode uint8

const (
	nameMode  mode = iota
	valueMode      // of the attribute that is wanted
	skipMode       // what follows a name that nobody asked for
)

// A Scan matches one attribute list against a wish list, as attr_scan does
// (src/util/attr_scan0.c, attr_scan64.c, attr_scan_plain.c). It works on bytes
// that the caller holds, in any number of steps, and copies none of them:
//
//	s.Start(flags, wants)
//	for !s.Run(list, nil) {
//		list = append(list, more...)
//	}
//
// The zero value is ready for Start, and a Scan can be started again at will.
// Memory that it needs to decode values in is used again.
type Scan struct {
	Encoding Encoding
	// Limit is the longest string accepted, in bytes on the wire; 0 means any.
	Limit int
	// Trace, when set, is told what the scan sees. The text is borrowed.
	Trace func(event Event, text []byte)

	flags    Flags
	wants    []Want
	values   []span // one for each wish that has been granted
	pos      int    // bytes consumed, the start of the next string
	searched int    // bytes known to hold no end of that string
	dropped  int    // bytes that Compact took off the list
	mode     mode
	begun    bool // at least one byte was there
	traced   bool // Trace knows what is wanted now
	group    bool // between the braces of a group
	part     bool // in the list of a Sublist, which sub scans
	done     bool
	count    int
	err      *Error

	text []byte // decoded values
	name []byte // of the attribute of a table whose value comes next
	sub  *Scan
}

// Start begins a list. The wish list is borrowed until the scan is done.
func (s *Scan) Start(flags Flags, wants []Want) {
	s.flags, s.wants = flags, wants
	s.values, s.text = s.values[:0], s.text[:0]
	s.pos, s.searched, s.dropped, s.count, s.err = 0, 0, 0, 0, nil
	s.mode = nameMode
	s.begun, s.traced, s.group, s.part, s.done = false, false, false, false, false
}

// Run goes on with list, which holds all bytes from the start of the list to
// the last one received: at each call the same bytes as before and perhaps
// more. It reports whether the scan is done. If it is not, all bytes were
// looked at and at least one more is needed; end says that there will be none:
// io.EOF, or another error for a read that timed out. An error that has a
// method Timeout counts as what that says.
func (s *Scan) Run(list []byte, end error) (done bool) {
	if s.done {
		return true
	}
	if !s.begun {
		if len(list) == 0 {
			if end != nil {
				s.finish(nil) // nothing at all is not an error
			}
			return s.done
		}
		s.begun = true
	}
	for !s.done && !s.satisfied() {
		if s.mode == nameMode && s.inPart() {
			if !s.runPart(list, end) {
				return s.done
			}
			continue
		}
		if s.Trace != nil {
			s.traceWanted()
		}
		text, delimiter, ok := s.token(list, end)
		if !ok {
			return s.done
		}
		switch s.mode {
		case nameMode:
			s.takeName(text, delimiter)
		case valueMode:
			s.takeValue(text, delimiter)
		case skipMode:
			s.mode = nameMode
			if s.Encoding == Null {
				s.trace(EventValue, text)
			}
		}
	}
	return s.done
}

// Consumed is the number of bytes that a finished scan took off the list.
func (s *Scan) Consumed() int { return s.pos }

// Began tells whether the scan has seen any byte.
func (s *Scan) Began() bool { return s.begun }

// Result is the number of wishes granted, -1 for malformed input, and the
// reason why there were not more. A count that is too small without an error
// is an early end of the list without [FlagMissing], or no input at all. A
// [TypeHash] counts as many times as it had attributes, a [TypeStreq] does not count.
func (s *Scan) Result() (count int, err *Error) { return s.count, s.err }

// Granted is how many wishes, from the first on, have been granted: those
// whose value can be asked for. Unlike the count of [Scan.Result] it can serve
// as an index of the wish list.
func (s *Scan) Granted() int { return len(s.values) }

// Bytes is the value of the i'th wish. It is part of the list that was given
// to Run where that holds it as it is, and else part of the Scan's own memory,
// which is valid until the next Start.
func (s *Scan) Bytes(list []byte, i int) []byte {
	v := &s.values[i]
	if v.decoded {
		return s.text[v.start:v.end:v.end]
	}
	return list[v.start:v.end:v.end]
}

// Uint is the value of the i'th wish when its type is a number; 1 stands for
// true.
func (s *Scan) Uint(i int) uint64 { return s.values[i].number }

// Bool is the value of the i'th wish when its type is a truth value.
func (s *Scan) Bool(i int) bool { return s.values[i].number != 0 }

// satisfied ends the scan after the last wish when the rest is to be left.
func (s *Scan) satisfied() bool {
	if s.flags&FlagMore != 0 && s.mode == nameMode && len(s.values) == len(s.wants) {
		s.finish(nil)
	}
	return s.done
}

// inPart tells whether a Sublist says what comes next.
func (s *Scan) inPart() bool {
	return len(s.values) < len(s.wants) && s.wants[len(s.values)].Type == TypeFunc
}

// wanted is what messages say is wanted.
func (s *Scan) wanted() string {
	switch {
	case s.group:
		return anyNameOrGroupEnd
	case len(s.values) == len(s.wants):
		return listTerminator
	case s.wants[len(s.values)].Type == TypeHash:
		return anyNameOrListEnd
	}
	return s.wants[len(s.values)].Name
}

func (s *Scan) trace(event Event, text []byte) {
	if s.Trace != nil {
		s.Trace(event, text)
	}
}

// traceWanted tells once for each name what is wanted.
func (s *Scan) traceWanted() {
	if s.mode == nameMode && !s.traced {
		s.traced = true
		s.trace(EventWanted, []byte(s.wanted()))
	}
}

// token takes the next string off the list, without the delimiter that ends
// it.
func (s *Scan) token(list []byte, end error) (text []byte, delimiter byte, ok bool) {
	var i int
	if s.Encoding == Null {
		i = bytes.IndexByte(list[s.searched:], 0)
	} else {
		i = s.cut(list[s.searched:])
	}
	stop := s.searched + i
	if i < 0 {
		stop = len(list)
	}
	if s.Limit > 0 && stop-s.pos > s.Limit {
		s.fail(&Error{Kind: KindTooLong, Expect: strconv.Itoa(s.Limit)}, s.pos)
		return nil, 0, false
	}
	if i < 0 {
		s.searched = stop
		if end != nil {
			s.cutOff(list[s.pos:], end)
		}
		return nil, 0, false
	}
	text = list[s.pos:stop]
	s.pos = stop + 1
	s.searched = s.pos
	return text, list[stop], true
}

// cut finds the end of the string that comes next, where strings end in lines.
func (s *Scan) cut(b []byte) int {
	if s.mode == skipMode {
		return bytes.IndexByte(b, '\n') // a line may hold any number of separators
	}
	return s.Encoding.cut(b, s.mode == valueMode)
}

// cutOff finishes a scan whose input ended where part of a string had come.
func (s *Scan) cutOff(part []byte, end error) {
	err := &Error{Kind: KindPremature, Err: readError(end), Skipped: s.mode == skipMode}
	start := s.pos
	s.pos += len(part)
	switch {
	case s.Encoding == Null && len(part) > 0 && part[len(part)-1] != 0xff:
		// The last byte read is the reference's sign that there were any. Where
		// a char has a sign, 255 looks like the end of the stream.
		err.Kind = KindUnexpected
	case timedOut(end):
		err.Kind = KindTimeout
	}
	if s.mode == skipMode && s.Encoding != Null {
		// The reference does not say that it skips here, only that there is no
		// name after that.
		err.Skipped = false
		s.mode = nameMode
		s.traced = false
		s.traceWanted()
		start = s.pos
	}
	s.fail(err, start)
}

// fail finishes the scan because of the string that starts at offset start of
// the list.
func (s *Scan) fail(err *Error, start int) {
	err.Encoding, err.Wanted, err.Value = s.Encoding, s.wanted(), s.mode != nameMode
	err.Offset = s.dropped + start
	if err.Malformed() {
		s.count = -1
	}
	s.finish(err)
}

func (s *Scan) finish(err *Error) {
	s.done = true
	s.err = err
}
