package daemon

import (
	"errors"
	"strings"
	"syscall"
)

// reason is what the C library says about a failed system call. Postfix's texts
// end in it, so that a log parser finds "No such file or directory" here too.
func reason(err error) string {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return err.Error()
	}
	// Go has the C library's texts with a small first letter.
	text := errno.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

// A callError is a failed system call in the words of the reference: what was
// tried, a colon, and the C library's reason.
type callError struct {
	what string
	err  error
}

func (e *callError) Error() string { return e.what + ": " + reason(e.err) }
func (e *callError) Unwrap() error { return e.err }
