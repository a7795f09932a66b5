// Package server serves the clients of a connection cache: one event loop
// around the sockets, and the limits that keep it out of trouble.
//
// Make a [Server] with [New] and call [Server.Run]. Everything happens in the
// goroutine of Run; only Terminate may be called from another one. No system
// call in the loop waits for a client: what cannot be read or written now is
// taken up again when the socket is ready, so a client that is slow or stuck
// holds up nobody. Cached descriptors are never read, written or changed.
//
// Like src/master/multi_server.c and src/util/events.c in Postfix, timers that
// are due run before requests are read.
package server
