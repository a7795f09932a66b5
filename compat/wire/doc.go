// Package wire is a client of a connection cache daemon that can say anything:
// whole requests or halves of them, any number of descriptors in any message,
// nothing at all. Tests and attacks that look at what is on the wire are written
// with it; programs that want sessions use package client.
//
// Begin with [Dial], and with [Pair] or [TCP] for a session to put into the
// cache. It writes and reads the bytes itself, and shares no code with the
// daemon: what the two have in common is checked and not assumed. It never
// retries, and never waits for longer than it was told to.
package wire
