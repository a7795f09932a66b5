package script

import "io"

// Options are how to run a script.
type Options struct {
	Out io.Writer // what the reference's driver prints, to the byte
	// Name is the script's in errors, most often its file; "script" if empty.
	Name string

	// RealTime makes the clock of a cache in this process the wall clock.
	RealTime bool
	// AlwaysVerbose traces every step, also when the cache is taken down at
	// the end, whatever the script says: what the driver of snapshot
	// 2.2-20040720 did.
	AlwaysVerbose bool
	// Extended allows the commands that the reference does not have, and lets the
	// script go on after the 13th error, where the reference ends.
	Extended bool
	// Lockstep makes the script fail with [ErrLate] when the wall clock runs
	// away from it, so that two servers get each command in the same second.
	Lockstep bool
	// Server is the socket of a server that is used for "cache_type multi", and
	// Version its protocol's; the newest if empty.
	Server, Version string
	// Found, if not nil, is called after each lookup, with the number of its line.
	Found func(line int, result Result)

	typed bool // by a person, on a terminal
}

func (o *Options) name() string {
	if o.Name == "" {
		return "script"
	}
	return o.Name
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
