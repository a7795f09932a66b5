package attrproto

import (
	"io"
	"maps"
	"slices"
	"strconv"
)

// A Writer writes attribute lists to a stream, each in one piece:
//
//	w.String("request", "query")
//	w.String("address", address)
//	err := w.Send()
//
// A list is written as a whole or not at all: when an attribute cannot be sent,
// End and Send throw the list away and return the [*EncodeError]. Its methods
// are not for concurrent use. Deadlines are for the owner of the stream to set.
type Writer struct {
	Encoding Encoding
	// Trace, when set, is told what is written, in the reference's words.
	Trace func(line string)

	dst  io.Writer
	buf  []byte // whole lists that were not written yet, then the one in the making
	list int    // where in buf that one starts
	sent bool   // part of that one is written
	err  error  // why that one cannot be sent
	dead error  // why nothing can be written any more
}

// NewWriter returns a Writer for lists in the encoding [Null]. It borrows the
// stream.
func NewWriter(dst io.Writer) *Writer { return &Writer{dst: dst} }

// String adds an attribute of the type string, see [Encoding.AppendString].
func (w *Writer) String(name, value string) {
	w.add(w.Encoding.AppendString(w.buf, name, value))
	w.trace(name, value)
}

// Int adds an attribute of the type int, see [Encoding.AppendInt].
func (w *Writer) Int(name string, value int) {
	w.add(w.Encoding.AppendInt(w.buf, name, value))
	w.traceNumber(name, uint64(uint32(value)))
}

// Long adds an attribute of the type long, see [Encoding.AppendLong].
func (w *Writer) Long(name string, value int64) {
	w.add(w.Encoding.AppendLong(w.buf, name, value))
	w.traceNumber(name, uint64(value))
}

// Bool adds an attribute of the type bool, see [Encoding.AppendBool].
func (w *Writer) Bool(name string, value bool) {
	w.add(w.Encoding.AppendBool(w.buf, name, value))
	w.trace(name, w.Encoding.formatBool(value))
}

// Data adds an attribute of the type data, see [Encoding.AppendData].
func (w *Writer) Data(name string, value []byte) {
	w.add(w.Encoding.AppendData(w.buf, name, value))
	w.traceData(name, len(value))
}

// Hash adds a group of the strings in a table, sorted by name. The reference
// sends them in no particular order.
func (w *Writer) Hash(table map[string]string) {
	w.buf = w.Encoding.AppendOpen(w.buf)
	for _, name := range slices.Sorted(maps.Keys(table)) {
		w.add(w.Encoding.AppendString(w.buf, name, table[name]))
		w.traceEntry(name, table[name])
	}
	w.buf = w.Encoding.AppendClose(w.buf)
}

// Greeting sends what a service of Postfix 3.6 and later says first: the name
// of its protocol. It is the other end of [Reader.Greeting].
func (w *Writer) Greeting(protocol string) error {
	w.String("protocol", protocol)
	return w.Send()
}

// End ends the list. It is kept until Send or Flush, so that several lists can
// be written at once. A list that cannot be sent is thrown away.
func (w *Writer) End() error {
	err := w.err
	w.err = nil
	switch {
	case w.dead != nil:
		return w.dead
	case err != nil && w.sent:
		// The reader has a part of the list, and must not take it for all.
		w.dead = err
	case err != nil:
		w.buf = w.buf[:w.list]
	default:
		w.buf = w.Encoding.AppendEnd(w.buf)
		w.list, w.sent = len(w.buf), false
	}
	return err
}

// Send ends the list and writes everything that was kept, with one call of the
// stream's Write.
func (w *Writer) Send() error {
	if err := w.End(); err != nil {
		return err
	}
	return w.Flush()
}

// Flush writes everything that was kept, also of a list that goes on. An error
// of the stream stays; it is returned from then on.
func (w *Writer) Flush() error {
	switch {
	case w.dead != nil:
		return w.dead
	case w.err != nil:
		return w.err
	case len(w.buf) == 0:
		return nil
	}
	n, err := w.dst.Write(w.buf)
	if err == nil && n < len(w.buf) {
		err = io.ErrShortWrite
	}
	w.dead = err
	w.sent = len(w.buf) > w.list || w.sent
	w.buf, w.list = w.buf[:0], 0
	return err
}

// add takes the result of adding an attribute.
func (w *Writer) add(buf []byte, err error) {
	w.buf = buf
	if w.err == nil {
		w.err = err
	}
}

// trace tells what was added to the list, unless it cannot be sent.
func (w *Writer) trace(name, value string) {
	if w.Trace != nil && w.err == nil {
		w.Trace("send attr " + name + " = " + value)
	}
}

func (w *Writer) traceNumber(name string, value uint64) {
	if w.Trace != nil {
		w.trace(name, strconv.FormatUint(value, 10))
	}
}

func (w *Writer) traceData(name string, length int) {
	if w.Trace != nil {
		w.trace(name, "[data "+strconv.Itoa(length)+" bytes]")
	}
}

// traceEntry is trace for an attribute of a group.
func (w *Writer) traceEntry(name, value string) {
	if w.Trace != nil && w.err == nil {
		w.Trace("send attr name " + name + " value " + value)
	}
}
