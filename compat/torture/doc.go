// Package torture does to a connection cache daemon what hostile, broken or
// unlucky programs could do to it, and watches what becomes of the others.
//
// [Run] carries out all attacks and prints a table, [Against] is one attack on
// one daemon, and [Soak] is hours of churn. Every daemon is started for the
// purpose, under the stand-in master of package compat, with privileges and jail
// as in production; nothing here touches a daemon that was there before.
//
// Beside each attack a good client goes on with what smtp(8) does: it saves a
// session, finds it again by destination, and makes sure that it is the same one.
// What it sees is compared with what another one sees at the same time of a
// second daemon, which nobody attacks: so the load that the attack puts on the
// machine is not mistaken for harm done to the daemon.
package torture
