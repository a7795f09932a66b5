// Package script runs scripts of cache operations: the language, and to the
// byte the output, of the driver that Postfix tests its cache with
// (src/global/scache.c). Call [Run]; when a person types, [RunTerminal].
//
// A script works on a cache in this process, where time is virtual: to sleep
// takes none. After "cache_type server PATH" it works on a server that
// listens on the socket PATH, ours or the reference's, as a client of it: the
// sessions are then ends of socket pairs, and time is real.
//
// A script never opens a network connection, and it starts nothing.
package script
