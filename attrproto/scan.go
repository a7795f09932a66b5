package attrproto

import (
	"bytes"
	"io"
	"strconv"
)

// Type is the type of an attribute that a caller asks for.
type Type uint8

const (
	String Type = iota // any bytes but NUL
	Int                // unsigned, 32 bit
	Long               // unsigned, 64 bit
	Streq              // the value must be Want.Expect; not counted as a conversion
)

// A Want is one entry of a wish list.
type Want struct {
	Type   Type
	Name   string
	Expect string
}

// Flags change how a Scan treats what is not on the wish list.
type Flags uint8

const (
	WarnMissing Flags = 1 << iota // it is an error that the list ends too early
	WarnExtra                     // it is an error that the list has other attributes
	More                          // stop after the last wish, leave the rest of the list
	Strict      = WarnMissing | WarnExtra
)

// Event says what a Scan is doing, for verbose logging.
type Event uint8

const (
	Wanted Event = iota // about to look for this attribute
	Name                // read this name; empty at the end of the list
	Value               // read this value
)

// Names that stand for the end of a list in messages.
const listTerminator = "(list terminator)"

type span struct {
	start, end int
	number     uint64
}

// A Scan matches one attribute list against a wish list, as attr_scan does
// (src/util/attr_scan0.c). It works on bytes that the caller holds, in any
// number of steps, and copies none of them:
//
//	s.Start(flags, wants)
//	for !s.Run(list, nil) {
//		list = append(list, more...)
//	}
//
// The zero value is ready for Start, and a Scan can be started again at will.
type Scan struct {
	// Limit is the longest string accepted, in bytes; 0 means any.
	Limit int
	// Trace, when set, is told what the scan sees. The text is borrowed.
	Trace func(event Event, text []byte)

	flags    Flags
	wants    []Want
	values   []span // one for each wish that has been granted
	pos      int    // bytes consumed, the start of the next string
	searched int    // bytes known to hold no end of that string
	begun    bool   // at least one byte was there
	value    bool   // the next string is a value
	skip     bool   // that value is of no interest
	traced   bool   // Trace knows what is wanted now
	done     bool
	count    int
	err      *Error
}

// Start begins a list. The wish list is borrowed until the scan is done.
func (s *Scan) Start(flags Flags, wants []Want) {
	*s = Scan{Limit: s.Limit, Trace: s.Trace, values: s.values[:0], flags: flags, wants: wants}
}

// Run goes on with list, which holds all bytes from the start of the list to
// the last one received: at each call the same bytes as before and perhaps
// more. It reports whether the scan is done. If it is not, all bytes were
// looked at and at least one more is needed; end says that there will be none:
// io.EOF, or another error for a read that timed out.
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
		if !s.value && !s.traced {
			s.traced = true
			if s.Trace != nil {
				s.Trace(Wanted, []byte(s.wanted()))
			}
		}
		text, ok := s.token(list, end)
		if !ok {
			return s.done
		}
		if s.value {
			s.takeValue(text)
		} else {
			s.takeName(text)
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
// is an early end of the list without [WarnMissing], or no input at all.
func (s *Scan) Result() (count int, err *Error) { return s.count, s.err }

// Bytes is the value of the i'th wish, part of the list that was given to Run.
func (s *Scan) Bytes(list []byte, i int) []byte {
	return list[s.values[i].start:s.values[i].end]
}

// Uint is the value of the i'th wish when its type is a number.
func (s *Scan) Uint(i int) uint64 { return s.values[i].number }

// satisfied ends the scan after the last wish when the rest is to be left.
func (s *Scan) satisfied() bool {
	if s.flags&More != 0 && !s.value && len(s.values) == len(s.wants) {
		s.finish(nil)
	}
	return s.done
}

func (s *Scan) wanted() string {
	if len(s.values) == len(s.wants) {
		return listTerminator
	}
	return s.wants[len(s.values)].Name
}

// token takes the next string off the list, without its end.
func (s *Scan) token(list []byte, end error) (text []byte, ok bool) {
	i := bytes.IndexByte(list[s.searched:], 0)
	length := len(list) - s.pos
	if i >= 0 {
		length = s.searched + i - s.pos
	}
	if s.Limit > 0 && length > s.Limit {
		s.finish(&Error{Kind: TooLong, Expect: strconv.Itoa(s.Limit)})
		return nil, false
	}
	if i < 0 {
		s.searched = len(list)
		if end != nil {
			s.pos = len(list)
			s.finish(&Error{Kind: s.ending(end, length)})
		}
		return nil, false
	}
	text = list[s.pos : s.pos+length]
	s.pos += length + 1
	s.searched = s.pos
	return text, true
}

// ending says in which way the input came to its end.
func (s *Scan) ending(end error, length int) Kind {
	switch {
	case length > 0:
		return Unexpected
	case end != io.EOF:
		return Timeout
	}
	return Premature
}

func (s *Scan) takeName(name []byte) {
	if s.Trace != nil {
		s.Trace(Name, name)
	}
	s.traced = false
	atEnd := len(s.values) == len(s.wants)
	switch {
	case len(name) == 0 && (atEnd || s.flags&WarnMissing == 0):
		s.finish(nil)
	case len(name) == 0:
		s.finish(&Error{Kind: Missing})
	case !atEnd && string(name) == s.wants[len(s.values)].Name:
		s.value, s.skip = true, false
	case s.flags&WarnExtra != 0:
		s.finish(&Error{Kind: Extra, Text: string(name)})
	default:
		s.value, s.skip = true, true
	}
}

func (s *Scan) takeValue(text []byte) {
	if s.Trace != nil {
		s.Trace(Value, text)
	}
	if s.skip {
		s.value = false
		return
	}
	v := span{start: s.pos - 1 - len(text), end: s.pos - 1}
	want := &s.wants[len(s.values)]
	switch want.Type {
	case Int, Long:
		number, ok := ParseUint(text)
		if !ok {
			s.finish(&Error{Kind: BadNumber, Text: string(text)})
			return
		}
		v.number = number
		if want.Type == Int {
			v.number = uint64(uint32(number))
		}
	case Streq:
		if string(text) != want.Expect {
			s.finish(&Error{Kind: Mismatch, Text: string(text), Expect: want.Expect})
			return
		}
		s.count--
	}
	s.count++
	s.value = false
	s.values = append(s.values, v)
}

func (s *Scan) finish(err *Error) {
	s.done = true
	if err == nil {
		return
	}
	err.Wanted, err.Value, err.Offset = s.wanted(), s.value, s.pos
	if err.Malformed() {
		s.count = -1
	}
	s.err = err
}
