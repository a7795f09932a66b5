// Package tap records what smtp(8) and the connection cache say to each other,
// and stands between the two while it does: clients connect to the tap, and for
// each of them the tap connects to the service that was theirs before.
//
// A [Settings] declares the parameters. [OpenRecorder] opens the file, [New] makes
// a [Relay] that records into it, and [Relay.Run] passes messages on until the
// process has to end. [Recorder.Close] writes what is left.
//
// # What it keeps
//
// Messages pass at the boundaries at which they came, as far as those can be seen:
// bytes that a descriptor came with are never passed together with others, and a
// descriptor is not taken from its sender before its receiver has read all that
// came before it. That is what the clients of 2004 rely on (src/global/scache_clnt.c
// of the snapshot 20040720), whose dialect has no dummies.
//
// # What it costs
//
// For each answer four processes are woken in place of two, and little else costs
// anything: a second look at what a socket has, the notes for the recording and the
// clock are 5 to 8 percent of it, as a relay beside it shows that does none of that
// (compat/bench, TestTapCost). To wait for the next message without giving up the
// processor makes it worse: the server and its client then have only the others.
//
// # What it never does
//
// It never reads from a session, writes to it or changes its flags: of a
// descriptor it asks which socket it is, passes it on and closes its own. It never
// waits for the disk: what the file cannot take in time is left out, and the
// recording says how much that was. Without the plain setting no name and no
// address gets into the file, only what a key makes of it; see [Pseudonyms].
package tap
