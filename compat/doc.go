// Package compat proves scached against a real Postfix.
//
// [Start] is a stand-in for master(8): it runs one connection cache daemon,
// ours or the reference's scache(8), exactly as the master would, and watches
// its log, its status channel and its descriptors. [StartPostfix] brings up a
// complete private Postfix instance whose only unusual word is the program of
// its scache service, and [StartSink] an SMTP server that keeps books on the
// connections and messages that reach it. [Run] puts them together and prints
// what both daemons did with the same mail.
//
// Everything lives in temporary directories and on loopback addresses with
// ports that the kernel chose. Nothing here touches the system's own Postfix,
// with the one exception of [Install] and [Uninstall], which are for that.
package compat
