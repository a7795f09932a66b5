package attrproto

// runPart goes on with the part of the list that a Sublist asks for. Like Run,
// it reports false when more bytes are needed or the scan is done.
func (s *Scan) runPart(list []byte, end error) bool {
	f := s.wants[len(s.values)].To.(Sublist)
	if !s.part {
		next, ok := f(nil, nil)
		if !s.nextPart(next, ok) {
			return !s.done
		}
	}
	for {
		rest := list[s.pos:]
		if !s.sub.Run(rest, end) {
			return false
		}
		if !s.sub.begun {
			s.fail(&Error{Kind: KindRejected, Err: readError(end)}, s.pos)
			return false
		}
		if err := s.sub.err; err != nil {
			s.failPart(err)
			return false
		}
		next, ok := f(s.sub, rest)
		s.pos += s.sub.Consumed()
		s.dropped += s.sub.dropped
		s.searched = s.pos
		if !s.nextPart(next, ok) {
			return !s.done
		}
	}
}

// nextPart starts the scan of the wishes that a Sublist came up with. It
// reports false when there are none.
func (s *Scan) nextPart(next []Want, ok bool) bool {
	switch {
	case !ok:
		s.fail(&Error{Kind: KindRejected}, s.pos)
		return false
	case next == nil:
		s.part = false
		s.grant(&Want{}, span{start: s.pos, end: s.pos}, nil)
		return false
	}
	if s.sub == nil {
		s.sub = new(Scan)
	}
	s.part = true
	s.sub.Encoding, s.sub.Limit, s.sub.Trace = s.Encoding, s.Limit, s.Trace
	s.sub.Start(s.flags|FlagMore, next)
	return true
}

// failPart finishes the scan because a part of the list was not as wished. The
// input is consumed as far as the part's scan went.
func (s *Scan) failPart(err *Error) {
	err.Offset += s.dropped + s.pos
	s.pos += s.sub.Consumed()
	s.dropped += s.sub.dropped
	s.count = -1
	s.finish(err)
}
