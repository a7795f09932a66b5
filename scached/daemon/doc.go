// Package daemon makes a program a Postfix daemon: one that master(8) starts and
// supervises, that is configured by main.cf and the command line, and that logs
// where all of Postfix logs. What the program serves is not its business: that
// comes in a [Service]. So any program can stand on it:
//
//	var greeting string
//	p := daemon.Start(os.Args, daemon.Service{Parameters: []daemon.Parameter{
//		{Name: "toy_greeting", Default: "hello", Target: &greeting, Help: "what clients are told"},
//	}})
//	ready := []unix.PollFd{{Fd: int32(p.Listen[0]), Events: unix.POLLIN}, {Fd: int32(p.Status.FD)}}
//	for {
//		n, err := unix.Poll(ready, int(p.Params.MaxIdle.Milliseconds()))
//		if n == 0 || ready[1].Revents != 0 {
//			break // idle for too long, or master(8) is gone
//		} else if err == nil {
//			p.Burst(false)
//			serve(p.Listen[0], greeting)
//			p.Burst(true)
//		}
//	}
//
// [Start] comes first and does everything up to the event loop: environment,
// log, main.cf, options, parameters, checks, jail. What it returns, a [Process],
// holds what the event loop needs: parameters, log, status channel, listening
// descriptors. [NewWatchdog] comes last, when the loop is about to turn.
// [Examine] reads a configuration without being a daemon.
//
// # Limits of the process
//
// Below the number of descriptors that a Service asks for (ulimit -n) Start says
// so and ends. RLIMIT_NPROC does not matter: all threads are there before the
// process is mail_owner's. The address space (ulimit -v, RLIMIT_AS) must not be
// limited to less than 720 MB: the Go runtime reserves as much without using it,
// and ends the process before its first instruction where it cannot.
//
// The package never accepts a connection, never starts a process, never writes
// to a file, and never waits for a log daemon or for master(8) longer than the
// time that is given where it may wait at all. Errors that the Postfix skeleton
// (src/master/multi_server.c) ends a process for end it here too, in the same
// words, a second after they were logged.
package daemon
