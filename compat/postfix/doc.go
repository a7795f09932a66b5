// Package postfix runs a complete private Postfix, whose only unusual word is the
// program of its scache service. Call [Start]; only root can.
//
// An instance has its own configuration, queue, data and daemon directories, and
// an smtpd(8) on a loopback port that the kernel chose. The package copies the
// programs of the installed Postfix, and never touches its files or processes.
package postfix
