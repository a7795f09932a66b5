package attrproto

import (
	"errors"
	"io"
	"strconv"
)

// DefaultLimit is the longest string that a [Reader] accepts unless it is told
// otherwise, in bytes on the wire. The reference has no limit.
const DefaultLimit = 64 << 10

// firstBuffer is what a Reader starts with; the reference's streams have as
// much.
const firstBuffer = 4096

// maxEmptyReads is how many reads may bring neither bytes nor an error.
const maxEmptyReads = 100

// A Reader reads attribute lists from a stream. It waits for as long as the
// stream lets it: deadlines are for the owner of the stream to set. Its
// methods are not for concurrent use.
//
// The first error stays: each method then reports it at once, so that a caller
// may look at [Reader.Err] after a loop. [Reader.Resume] goes on after an error
// that the stream survives.
//
// Memory is bounded by the values that were asked for: what is skipped is not
// kept.
type Reader struct {
	Encoding Encoding
	// Limit is the longest string accepted, in bytes on the wire. 0 means
	// DefaultLimit, less than 0 any.
	Limit int
	// Trace and Stream are those of a [Scan].
	Trace  func(line string)
	Stream string

	src    io.Reader
	sock   *socket // src, if that is what it is
	scan   Scan
	list   []byte // that the scan was about
	name   []byte // that NextName decoded
	offset int64  // in the stream, of buf[start]
	ended  error  // what the stream said when it had no more
	err    error

	// buf[:start] is consumed, buf[start:end] was read and is not consumed,
	// buf[end:] is free.
	buf        []byte
	start, end int
}

// NewReader returns a Reader for lists in the encoding [Null]. It borrows the
// stream.
func NewReader(src io.Reader) *Reader {
	r := &Reader{src: src}
	r.sock, _ = src.(*socket)
	return r
}

// Scan reads one list, or with the flag [FlagMore] the next part of one, and
// matches it against the wishes. The count is that of attr_scan(3): the
// attributes that were found, -1 for malformed input. A list that ends early
// is no error without [FlagMissing], so compare the count.
//
// The error is io.EOF when the stream ends before the first byte, else an
// [*Error]. Its method Class tells trouble with the stream from malformed
// input, and from a list that is not what was asked for.
func (r *Reader) Scan(flags Flags, wants ...Want) (count int, err error) {
	if r.err != nil {
		return -1, r.err
	}
	s := &r.scan
	s.Encoding, s.Limit, s.Trace, s.Stream = r.Encoding, r.limit(), r.Trace, r.Stream
	s.Start(flags, wants)
	for !s.Run(r.buf[r.start:r.end], r.ended) {
		r.fill(s)
	}
	r.list = r.buf[r.start:r.end]
	listOffset := int(r.offset)
	r.consume(s.Consumed(), s.dropped)
	count, failure := s.Result()
	switch {
	case failure != nil:
		failure.Offset += listOffset
		failure.Err = unwrapEnd(failure.Err)
		r.err = failure
	case !s.begun && r.ended == io.EOF:
		r.err = io.EOF
	case !s.begun:
		r.err = r.streamError(s.wanted())
	}
	return count, r.err
}

// limit is the limit in the terms of a Scan.
func (r *Reader) limit() int {
	switch {
	case r.Limit == 0:
		return DefaultLimit
	case r.Limit < 0:
		return 0
	}
	return r.Limit
}

// Granted is how many wishes of the last Scan were granted, from the first on.
func (r *Reader) Granted() int { return r.scan.Granted() }

// Bytes is the value of the i'th wish of the last Scan. It is borrowed until
// the next call of a method that reads.
func (r *Reader) Bytes(i int) []byte { return r.scan.Bytes(r.list, i) }

// Uint is the value of the i'th wish of the last Scan, which was for a number
// or a truth value, where 1 stands for true.
func (r *Reader) Uint(i int) uint64 { return r.scan.Uint(i) }

// More tells whether the list goes on that a Scan with the flag [FlagMore] left
// open. If not, the end of the list is consumed. It is also how a list of
// lists ends: with an empty list.
//
// More is false after an error; see [Reader.Err]. The end of the stream is an
// error here, since a list must have an end.
//
// From attr_scan_more0 in src/util/attr_scan0.c and its siblings.
func (r *Reader) More() bool {
	if !r.need(1) {
		return false
	}
	more, n := r.Encoding.ConsumeMore(r.buf[r.start:r.end])
	switch {
	case r.Trace == nil:
	case more:
		r.Trace(r.Stream + ": non-terminator '" + string(r.buf[r.start:r.start+1]) + "' (lookahead)")
	default:
		r.Trace(r.Stream + ": terminator (consumed)")
	}
	r.consume(n, 0)
	return more
}

// NextName looks at the name of the next attribute without consuming it; it is
// empty at the end of the list. That is for protocols that changed over time.
// The name is borrowed until the next call of a method that reads.
func (r *Reader) NextName() (name []byte, err error) {
	var l lexer
	for r.need(l.searched + 1) {
		wire, _, trouble := l.next(r.Buffered(), r.Encoding, namePart, r.limit())
		switch trouble {
		case KindPremature:
			continue
		case KindTooLong:
			r.err = r.nameError(Error{Kind: KindTooLong, Expect: strconv.Itoa(r.limit())})
			return nil, r.err
		}
		grown, name, ok := r.Encoding.decode(r.name[:0], wire)
		if !ok {
			r.err = r.nameError(Error{Kind: KindBadBase64, Text: string(cString(wire))})
			return nil, r.err
		}
		r.name = grown
		return cString(name), nil
	}
	return nil, r.err
}

// nameError completes an error about the name that comes next.
func (r *Reader) nameError(e Error) *Error {
	e.Encoding, e.Wanted, e.Offset = r.Encoding, anyNameOrListEnd, int(r.offset)
	return &e
}

// need makes sure that n bytes of the list are there.
func (r *Reader) need(n int) bool {
	for r.err == nil && r.end-r.start < n {
		if r.ended != nil {
			if r.Trace != nil {
				r.Trace(r.Stream + ": EOF")
			}
			r.err = r.streamError(listTerminator)
			break
		}
		r.fill(nil)
	}
	return r.err == nil
}

// Greeting reads what a service of Postfix 3.6 and later says first: the name
// of its protocol, see the table in the package scache/attrproto/service.
// Anything else is an error, and so is more than that.
func (r *Reader) Greeting(protocol string) error {
	_, err := r.Scan(FlagStrict, Equal("protocol", protocol))
	if err == io.EOF {
		r.err = r.streamError("protocol")
	}
	return r.err
}

// Err is the first error, nil if there was none or the stream ended where it
// may.
func (r *Reader) Err() error {
	if r.err == io.EOF {
		return nil
	}
	return r.err
}

// Resume forgets an error in the input, so that the next Scan goes on where
// the last one stopped, as the reference's servers do. It reports false after
// an error of the stream, which stays.
func (r *Reader) Resume() bool {
	var e *Error
	if errors.As(r.err, &e) && e.Class() != ClassIO {
		r.err = nil
	}
	return r.err == nil
}

// Buffered borrows what was read from the stream and is not consumed, until the
// next call of a method that reads.
func (r *Reader) Buffered() []byte { return r.buf[r.start:r.end] }

// consume goes n bytes further in the buffer, after other bytes of the stream
// were dropped from it.
func (r *Reader) consume(n, dropped int) {
	r.start += n
	r.offset += int64(n + dropped)
	if r.sock != nil {
		r.sock.discard(r.offset)
	}
}

// streamError is the error of a stream that did not have a byte more.
func (r *Reader) streamError(wanted string) *Error {
	e := &Error{Kind: KindPremature, Encoding: r.Encoding, Wanted: wanted,
		Err: readError(unwrapEnd(r.ended)), Offset: int(r.offset)}
	if timedOut(r.ended) {
		e.Kind = KindTimeout
	}
	return e
}

// fill reads at least one byte more, or what the stream has to say instead.
// The scan is the one that is under way.
func (r *Reader) fill(s *Scan) {
	r.makeRoom(s)
	for range maxEmptyReads {
		n, err := r.src.Read(r.buf[r.end:])
		r.end += n
		if err != nil {
			r.ended = wrapEnd(err)
		}
		if n > 0 || err != nil {
			return
		}
	}
	r.ended = wrapEnd(io.ErrNoProgress)
}

// makeRoom leaves at least one byte free at the end of the buffer.
func (r *Reader) makeRoom(s *Scan) {
	if r.end < len(r.buf) {
		return
	}
	r.end = copy(r.buf, r.buf[r.start:r.end])
	r.start = 0
	if r.end == len(r.buf) && s != nil {
		r.end = len(s.Compact(r.buf))
	}
	if r.end > len(r.buf)/4*3 || len(r.buf) == 0 {
		grown := make([]byte, max(2*len(r.buf), firstBuffer))
		copy(grown, r.buf[:r.end])
		r.buf = grown
	}
}

// notTimeout is an error of a stream that must not pass for a timeout.
type notTimeout struct{ error }

func (notTimeout) Timeout() bool { return false }

// wrapEnd makes an error fit for Scan.Run, which takes one that says nothing
// about time for a timeout.
func wrapEnd(err error) error {
	var timeout interface{ Timeout() bool }
	if err == io.EOF || errors.As(err, &timeout) {
		return err
	}
	return notTimeout{err}
}

func unwrapEnd(err error) error {
	if wrapped, ok := err.(notTimeout); ok {
		return wrapped.error
	}
	return err
}
