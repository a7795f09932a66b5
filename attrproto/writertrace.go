package attrproto

import "strconv"

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

func (w *Writer) traceBool(name string, value bool) {
	switch {
	case w.Trace == nil:
	case w.Encoding == Plain:
		w.trace(name, strconv.FormatBool(value))
	case value:
		w.trace(name, "1")
	default:
		w.trace(name, "0")
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
