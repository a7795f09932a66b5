// Package bench measures a connection cache daemon against the reference,
// scache(8) of Postfix.
//
// [Run] does all of it and returns a [Report], which knows how to print, plot
// and encode itself. Both daemons run under the stand-in master of package
// compat, at the same time and idle in turn: each round puts the same load on
// one and then on the other, so that what the machine does besides hits both,
// and ratios are those of neighbours in time.
//
// The load is a cycle of requests, as smtp(8) makes them: save_endp with a
// property of 300 bytes, save_dest, a find_dest that hits and a find_endp that
// misses, each a complete exchange with its dummies and its descriptor. The
// load generator is one thread that makes few system calls, never allocates
// and never sleeps on anything but the daemon's answer. What is said of CPU is
// the daemon's alone, all of its threads, from the kernel.
package bench
