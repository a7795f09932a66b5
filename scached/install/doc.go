// Package install puts a connection cache daemon into an installed Postfix, and
// takes it out again: [Install] and [Uninstall]. [FindInstalled] says where that
// Postfix keeps its files, and [ReferenceProgram] which scache(8) it has.
//
// It changes master.cf by way of postconf(1), and it never reloads Postfix.
package install
