// Package simulate runs the event loop of scached/server in a world that it makes
// up: a kernel with UNIX-domain sockets whose buffers are finite, descriptors that
// run out, closes that take time, errors of every kind, and a clock that jumps;
// good clients, bad ones, and an administrator.
//
// [Run] is one such life, from a seed. Nothing in it comes from elsewhere, and one
// thing happens at a time, so it is the same each time. A [Failure] says what the
// server did that it must not. [Search] tries many seeds.
//
// What is held against the server:
//
//   - A descriptor is closed once, never used after that, and none is left in the
//     end. A session is handed over once, to the client that was told of it.
//   - No session stays for longer than its ttl, and what was dropped is closed.
//   - What a client that keeps to the protocol is told is what the model says, in
//     order; the model is this package's own.
//   - Such a client is not disconnected, waits for nobody, and gets what it was
//     promised, unless descriptors, memory or the process come to their end.
//   - QUIT goes, once, to each session of smtp(8) that ends in the cache while it is
//     still served, and never to one that was promised or handed over.
//   - A turn of the loop takes no longer than its budget, and a loop that has
//     nothing to do rests.
//   - The counters add up, and are what the model has counted.
//
// It makes no system call, except those of the Go runtime.
package simulate
