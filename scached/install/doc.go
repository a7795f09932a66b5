// Package install puts the connection cache daemon into an installed Postfix,
// and takes it out again. [Install] looks at everything before it changes
// anything, [Check] only looks, and [Uninstall] changes back what Install has
// changed and nothing else. [FindInstalled] says where the system's Postfix keeps
// its files, and [ReferenceProgram] which scache(8) it has.
//
// What Install changes: it copies the daemon into daemon_directory, where one
// copy serves all Postfix instances; it replaces the command word of the service
// in master.cf, and leaves every other byte of that file alone; and, if this
// Postfix speaks an older dialect, it says so in scached.cf in the configuration
// directory. A file beside the daemon, the record, says what was copied and for
// which instances.
//
// The package asks postconf(1) for nothing but the values of parameters, one at a
// time, so that it works with every Postfix that has a connection cache. It never
// reloads Postfix.
package install
