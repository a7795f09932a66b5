// Package compat holds the rooms of the proving ground, which show that scached
// does what the reference does, and has no code of its own.
//
// [scache/compat/master] stands in for master(8) and runs one connection cache
// daemon. [scache/compat/postfix] is a complete private Postfix,
// [scache/compat/mail] sends mail through it. [scache/compat/script] is the
// language of the scenarios, [scache/compat/diff] compares ours with the
// reference, [scache/compat/bench] measures both, and [scache/compat/torture]
// attacks ours. [scache/compat/wire] is the raw client that they share, and
// [scache/compat/testbed] builds the programs for their tests.
//
// Everything lives in temporary directories and on loopback addresses with ports
// that the kernel chose. Nothing here touches the system's own Postfix.
package compat
