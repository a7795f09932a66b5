// Package strerror puts errors into the words of the C library, in which the
// log lines of Postfix end, so that whoever looks for "No such file or
// directory" in a log finds it there. Call [Of]; it changes nothing else about
// an error, and knows of no protocol.
package strerror

import (
	"errors"
	"strings"
	"syscall"
)

// Of is the reason that Postfix gives for an error: the C library's text when a
// system call failed, and its own words, "Application error", when there is none,
// that is, when something went wrong although no call failed. Any other error
// is its own text.
//
// From src/util/mystrerror.c.
func Of(err error) string {
	if err == nil {
		return "Application error"
	}
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return err.Error()
	}
	// Go has the C library's texts with a small first letter.
	text := errno.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}
