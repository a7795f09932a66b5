// Package diff compares connection cache daemons, ours and the reference's
// scache(8), at everything that a client, a log reader and master(8) can see.
//
// A [Transcript] is what clients do, step by step. [Start] starts a [Target], a
// daemon under the stand-in master; [Play] plays a transcript to one or several
// of them in lockstep, and gives a [Result] for each: what came back after each
// step, byte for byte and descriptor for descriptor, what was logged, what the
// status channel said, how many descriptors were left open, and whether the
// daemon lived on. [Compare] finds the differences between two results, and
// knows those that are there on purpose by name.
//
// The result never depends on time. A step is over when the daemon waits for
// something to happen, which the kernel tells (see watch.go), so that nothing
// is read together which was sent one after the other, and nothing is waited
// for in vain. [Hold] stops the daemon for those cases where several messages
// are to be found there at once.
//
// [Generate] makes random transcripts, [Shrink] makes small ones out of them,
// and [Run] is all of it together: the command "scachectl diff".
//
// Scripts of cache operations (package script) are compared more simply: by what
// their lookups find. [CompareScript] runs one on several sides at once, which are
// servers or the cache in this process; [StartServers] starts servers, and
// [CompareScripts] reports on files: the command "scachectl refs".
//
// A ttl ends with a second of the wall clock, so what has to do with seconds has
// to reach all daemons in the same one. On a busy machine it may be too slow for
// that; it is then repeated, at last alone, and never taken for a result.
//
// The status channel is compared record by record when the daemon is verbose.
// Otherwise ours leaves out the records that master(8) has no use for
// (src/master/master_status.c ignores those that say nothing new).
package diff
