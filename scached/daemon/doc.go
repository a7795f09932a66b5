// Package daemon makes a program a Postfix daemon: one that master(8) starts,
// configures through main.cf and the command line, hears about the state of
// over a pipe, and that logs where every other Postfix daemon logs.
//
// [Start] comes first and does everything up to the event loop: environment,
// log, main.cf, options, parameters, checks, jail. What it returns, a
// [Process], holds all that the event loop needs: parameters, log, status
// channel, listening descriptors. [NewWatchdog] comes last, when the loop is
// about to turn.
//
// The package never accepts a connection, never starts a process, never writes
// to a file, and never waits for a log daemon or for master(8) longer than the
// time that is given where it may wait at all. Errors that the Postfix skeleton
// (src/master/multi_server.c) ends a process for end it here too, in the same
// words, a second after they were logged.
package daemon
