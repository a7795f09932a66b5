package script

import (
	"bufio"
	"fmt"

	"scache/attrproto"
)

// maxErrors is how many errors end a script (msg_error_limit in
// src/util/msg.c).
const maxErrors = 13

// An output writes what the reference's driver writes: what goes to its log
// has the prefix of a program that did not say its name.
type output struct {
	w    *bufio.Writer
	line []byte
}

func (o *output) log(label string, text []byte) {
	o.line = append(append(append(o.line[:0], "unknown: "...), label...), attrproto.Printable(text)...)
	o.w.Write(append(o.line, '\n'))
}

func (o *output) logf(label, format string, args ...any) {
	o.log(label, fmt.Appendf(nil, format, args...))
}

func (o *output) printable(text string) {
	o.w.Write(append(attrproto.Printable([]byte(text)), '\n'))
}

func (o *output) print(format string, args ...any) { fmt.Fprintf(o.w, format, args...) }
