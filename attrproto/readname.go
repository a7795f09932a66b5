package attrproto

import "strconv"

// NextName looks at the name of the next attribute without consuming it; it is
// empty at the end of the list. That is for protocols that changed over time.
// The name is borrowed until the next call of a method that reads.
func (r *Reader) NextName() (name []byte, err error) {
	for n := 1; r.need(n); n = len(r.Buffered()) + 1 {
		name := r.Buffered()
		end := r.Encoding.cut(name, false)
		if end >= 0 {
			name = name[:end]
		}
		if limit := r.limit(); limit > 0 && len(name) > limit {
			r.err = r.nameError(Error{Kind: KindTooLong, Expect: strconv.Itoa(limit)})
			break
		}
		if end < 0 {
			continue
		}
		if r.Encoding == Base64 {
			decoded, ok := AppendUnbase64(r.name[:0], name)
			if !ok {
				r.err = r.nameError(Error{Kind: KindBadBase64, Text: string(cString(name))})
				break
			}
			r.name, name = decoded, decoded
		}
		return cString(name), nil
	}
	return nil, r.err
}

// nameError completes an error about the name that comes next.
func (r *Reader) nameError(e Error) *Error {
	e.Encoding, e.Wanted, e.Offset = r.Encoding, anyNameOrListEnd, int(r.offset)
	return &e
}
