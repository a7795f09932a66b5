// Package bench measures a connection cache daemon against the reference,
// scache(8) of Postfix.
//
// [Run] does all of it and returns a [Report], which knows how to print, plot
// and encode itself. A program that calls Run calls [RunClient] first. Reports
// that were written can be read again and joined, see [ReadReport] and [Join].
//
// Both daemons run under the stand-in master of package master, at the same
// time and idle in turn: each round puts the same load on one and then on the
// other, so that what the machine does besides hits both, and ratios are those
// of neighbours in time. What is reported is the median of the rounds and how
// far they are apart.
//
// The load is a cycle of requests, as smtp(8) makes them: save_endp with a
// property of 300 bytes, save_dest, a find_dest that hits and a find_endp that
// misses, each a complete exchange with its dummies and its descriptor. Every
// client is a process of its own, as smtp(8) is, so that a daemon has to wake
// up each of them; it makes few system calls, never allocates and waits for
// nothing but the daemon's answer and its own pauses. What is said of CPU and of
// context switches is the daemon's alone, all of its threads, from the kernel.
package bench
