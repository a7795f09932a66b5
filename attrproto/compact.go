package attrproto

// Compact gives back the memory of what an unfinished scan no longer needs, so
// that a list can be longer than the buffer that it is read into. It moves the
// values that were granted, and the bytes that were not looked at, to the
// start of list, and returns what is left of it. From then on that is the list
// that Run and Bytes want.
//
// What stays is at most the values that were asked for and one string.
func (s *Scan) Compact(list []byte) []byte {
	rest := list[s.pos:]
	if s.part {
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
	gone := s.pos - kept
	s.pos = kept
	s.searched = max(s.searched-gone, kept)
	s.dropped += gone
	return list[:kept+copy(list[kept:], rest)]
}
