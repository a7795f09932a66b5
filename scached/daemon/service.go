package daemon

// A Service is what a program tells [Start] about what it serves, as the daemons
// of Postfix pass tables and flags to multi_server_main (src/master/mail_server.h).
type Service struct {
	// Parameters are the service's own, in the order in which they are read.
	Parameters []Parameter
	// File is the base name of a file in the configuration directory, in the form
	// of main.cf, whose values come before those of main.cf. It need not exist.
	// Without a name there is none.
	File string
	// Check, if set, looks at the parameters once all of them have been read. Its
	// error is what the process dies with.
	Check func() error

	// Solitary services have a process limit of 1 in master.cf.
	Solitary bool
	// Descriptors is the least limit on file descriptors with which the service is of
	// any use, with the ten or so that every Go program and every daemon has.
	Descriptors int
	// Threads is how many system calls of the service can be blocked at a time,
	// besides that in which its event loop waits. So many goroutines can be in one
	// even when the system does not let the process have another thread.
	Threads int
	// Local services exchange descriptors with their clients, which only
	// UNIX-domain sockets can carry.
	Local bool
}
