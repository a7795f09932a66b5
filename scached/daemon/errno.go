package daemon

import "scache/scached/strerror"

// A callError is a failed system call in the words of the reference: what was
// tried, a colon, and the C library's reason.
type callError struct {
	what string
	err  error
}

func (e *callError) Error() string { return e.what + ": " + strerror.Of(e.err) }
func (e *callError) Unwrap() error { return e.err }
