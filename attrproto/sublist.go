package attrproto

// FuncVar asks for a part of the list that f says more about. It counts as one
// conversion.
func FuncVar(f Sublist) Want { return Want{Type: TypeFunc, To: f} }

// ListVar asks for a fixed sequence of attributes as one conversion. It is for
// structures that appear in several lists. A sequence that is not complete
// makes the result of the scan -1.
func ListVar(wants ...Want) Want {
	return FuncVar(func(got *Scan, list []byte) (next []Want, ok bool) {
		if got == nil {
			return wants, true
		}
		return nil, len(got.values) == len(wants)
	})
}

// A Sublist says what a part of a list is made of, step by step: the first
// call, with nil, asks for the first wishes; each further call shows what they
// got and asks for the next, for as many times as it takes. To give none ends
// the part. Not to be ok makes the result of the scan -1, as does a violation
// of the wishes. The scan and the list are borrowed.
//
// It is ATTR_TYPE_FUNC of src/util/attr.h.
type Sublist func(got *Scan, list []byte) (next []Want, ok bool)

// runList goes on with the part of the list that a Sublist asks for. Like Run,
// it reports false when more bytes are needed or the scan is done.
func (s *Scan) runList(list []byte, end error) bool {
	f := s.wants[len(s.values)].To.(Sublist)
	if !s.inList {
		next, ok := f(nil, nil)
		if !s.nextList(next, ok) {
			return !s.done
		}
	}
	for {
		rest := list[s.lexer.pos:]
		if !s.sub.Run(rest, end) {
			return false
		}
		if !s.sub.begun {
			s.fail(&Error{Kind: KindRejected, Err: readError(end)}, s.lexer.pos)
			return false
		}
		if err := s.sub.err; err != nil {
			s.failList(err)
			return false
		}
		next, ok := f(s.sub, rest)
		s.lexer.pos += s.sub.Consumed()
		s.dropped += s.sub.dropped
		s.lexer.searched = s.lexer.pos
		if !s.nextList(next, ok) {
			return !s.done
		}
	}
}

// nextList starts the scan of the wishes that a Sublist came up with. It
// reports false when there are none.
func (s *Scan) nextList(next []Want, ok bool) bool {
	switch {
	case !ok:
		s.fail(&Error{Kind: KindRejected}, s.lexer.pos)
		return false
	case next == nil:
		s.inList = false
		s.grant(&Want{}, span{start: s.lexer.pos, end: s.lexer.pos}, nil)
		return false
	}
	if s.sub == nil {
		s.sub = new(Scan)
	}
	s.inList = true
	s.sub.Encoding, s.sub.Limit = s.Encoding, s.Limit
	s.sub.Trace, s.sub.Stream = s.Trace, s.Stream
	s.sub.Start(s.flags|FlagMore, next)
	return true
}

// failList finishes the scan because a part of the list was not as wished. The
// input is consumed as far as the part's scan went.
func (s *Scan) failList(err *Error) {
	err.Offset += s.dropped + s.lexer.pos
	s.lexer.pos += s.sub.Consumed()
	s.dropped += s.sub.dropped
	s.count = -1
	s.finish(err)
}
