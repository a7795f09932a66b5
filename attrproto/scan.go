package attrproto

import "strconv"

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
	// Trace, when set, is told what the scan sees, in the lines that the
	// reference logs when it is verbose. Bytes that are not printable are left
	// for the logger to replace.
	Trace func(line string)
	// Stream is what those lines call the input, such as "scache socket".
	Stream string

	flags   Flags
	wants   []Want
	values  []span // one for each wish that has been granted
	lexer   lexer  // all before lexer.pos is consumed
	dropped int    // bytes that Compact took off the list
	part    part   // what comes next; valuePart is that of the attribute that is wanted
	begun   bool   // at least one byte was there
	traced  bool   // Trace knows what is wanted now
	group   bool   // between the braces of a group
	inList  bool   // in the list of a Sublist, which sub scans
	done    bool
	count   int
	err     *Error

	text []byte // decoded values
	name []byte // of the attribute of a table whose value comes next
	sub  *Scan
}

// Start begins a list. The wish list is borrowed until the scan is done.
func (s *Scan) Start(flags Flags, wants []Want) {
	s.flags, s.wants = flags, wants
	s.values, s.text = s.values[:0], s.text[:0]
	s.lexer, s.part = lexer{}, namePart
	s.dropped, s.count, s.err = 0, 0, nil
	s.begun, s.traced, s.group, s.inList, s.done = false, false, false, false, false
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
		if s.part == namePart && s.wantsList() {
			if !s.runList(list, end) {
				return s.done
			}
			continue
		}
		if s.Trace != nil {
			s.traceWanted()
		}
		text, delimiter, trouble := s.lexer.next(list, s.Encoding, s.part, s.Limit)
		if trouble != 0 {
			s.stop(list, end, trouble)
			return s.done
		}
		switch s.part {
		case namePart:
			s.takeName(text, delimiter)
		case valuePart:
			s.takeValue(text, delimiter)
		case restPart:
			s.part = namePart
			if s.Encoding == Null && s.Trace != nil {
				s.traceText("value", text)
			}
		}
	}
	return s.done
}

// Consumed is the number of bytes that a finished scan took off the list.
func (s *Scan) Consumed() int { return s.lexer.pos }

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

// Uint is the value of the i'th wish when its type is a number or a truth value,
// where 1 stands for true.
func (s *Scan) Uint(i int) uint64 { return s.values[i].number }

// satisfied ends the scan after the last wish when the rest is to be left.
func (s *Scan) satisfied() bool {
	if s.flags&FlagMore != 0 && s.part == namePart && len(s.values) == len(s.wants) {
		s.finish(nil)
	}
	return s.done
}

// wantsList tells whether a Sublist says what comes next.
func (s *Scan) wantsList() bool {
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

// traceWanted tells once for each name what is wanted.
func (s *Scan) traceWanted() {
	if s.part == namePart && !s.traced {
		s.traced = true
		s.Trace(s.Stream + ": wanted attribute: " + s.wanted())
	}
}

// traceText tells what was read. At the end of the list, the name is empty.
func (s *Scan) traceText(what string, text []byte) {
	shown := "(end)" // of empty values, too
	if len(text) > 0 {
		shown = string(text)
	}
	s.Trace("input attribute " + what + ": " + shown)
}

// stop is for a string that did not come to its end.
func (s *Scan) stop(list []byte, end error, trouble Kind) {
	switch {
	case trouble == KindTooLong:
		s.fail(&Error{Kind: KindTooLong, Expect: strconv.Itoa(s.Limit)}, s.lexer.pos)
	case end != nil:
		s.cutOff(list[s.lexer.pos:], end)
	}
}

// cutOff finishes a scan whose input ended where part of a string had come.
func (s *Scan) cutOff(part []byte, end error) {
	err := &Error{Kind: KindPremature, Err: readError(end), Skipped: s.part == restPart}
	start := s.lexer.pos
	s.lexer.pos += len(part)
	switch {
	case s.Encoding == Null && len(part) > 0 && part[len(part)-1] != 0xff:
		// The last byte read is the reference's sign that there were any. Where
		// a char has a sign, 255 looks like the end of the stream.
		err.Kind = KindUnexpected
	case timedOut(end):
		err.Kind = KindTimeout
	}
	if s.part == restPart && s.Encoding != Null {
		// The reference does not say that it skips here, only that there is no
		// name after that.
		err.Skipped = false
		s.part = namePart
		s.traced = false
		if s.Trace != nil {
			s.traceWanted()
		}
		start = s.lexer.pos
	}
	s.fail(err, start)
}

// fail finishes the scan because of the string that starts at offset start of
// the list.
func (s *Scan) fail(err *Error, start int) {
	err.Encoding, err.Wanted, err.Value = s.Encoding, s.wanted(), s.part != namePart
	err.Offset = s.dropped + start
	if err.malformed() {
		s.count = -1
	}
	s.finish(err)
}

func (s *Scan) finish(err *Error) {
	s.done = true
	s.err = err
}

// Compact gives back the memory of what an unfinished scan no longer needs, so
// that a list can be longer than the buffer that it is read into. It moves the
// values that were granted, and the bytes that were not looked at, to the
// start of list, and returns what is left of it. From then on that is the list
// that Run and Bytes want.
//
// What stays is at most the values that were asked for and one string.
func (s *Scan) Compact(list []byte) []byte {
	rest := list[s.lexer.pos:]
	if s.inList {
		rest = s.sub.Compact(rest)
	}
	kept := 0
	for i := range s.values {
		v := &s.values[i]
		if v.decoded {
			continue
		}
		length := copy(list[kept:], list[v.start:v.end])
		v.start, v.end = kept, kept+length
		kept += length
	}
	gone := s.lexer.pos - kept
	s.lexer.pos = kept
	s.lexer.searched = max(s.lexer.searched-gone, kept)
	s.dropped += gone
	return list[:kept+copy(list[kept:], rest)]
}
