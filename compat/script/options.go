package script

import (
	"errors"
	"io"
)

// ErrFailed means that the script did not do what it says; its output tells
// how.
var ErrFailed = errors.New("script failed")

// ErrLate means that the commands of one second took longer than that. The
// same script may succeed when the machine is less busy.
var ErrLate = errors.New("commands took longer than the second they belong to")

// Options are how to run a script.
type Options struct {
	Out io.Writer

	// RealTime makes the clock of a cache in this process the wall clock.
	RealTime bool
	// AlwaysVerbose traces every step, also when the cache is taken down at
	// the end, whatever the script says: what the driver of snapshot
	// 2.2-20040720 did.
	AlwaysVerbose bool
	// Extended allows the commands that the reference does not have. An error
	// then makes the script fail, where the reference ends at the 13th.
	Extended bool
	// Lockstep makes the script fail with [ErrLate] when the wall clock runs
	// away from it, so that two servers get each command in the same second.
	Lockstep bool
	// Server is the socket of a server that is used for "cache_type multi". Its
	// protocol is the newest.
	Server string
	// Found, when set, is called for each lookup, with its line.
	Found func(line int, result Result)

	typed bool // by a person, on a terminal
}

// A Result is what a lookup gave.
type Result struct {
	Found bool
	// By destination: DestProperty counts.
	ByDestination              bool
	DestProperty, EndpProperty string
	// Session is the number that the script gave to the SMTP session.
	Session int
	// Save and Line say which save_endp brought the SMTP session, counted from 1,
	// and in which line of the script it is. They are known for a server.
	Save, Line int
}
