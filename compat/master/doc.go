// Package master is a stand-in for master(8). [Start] runs one connection cache
// daemon, ours or the reference's scache(8), exactly as the master would, and
// watches its log, its status channel and its descriptors.
//
// Other packages of the proving ground collect logs with it ([Log], [TailFile],
// [OpenSyslog]) and look at processes ([Descriptors], [ProcessCredentials]).
//
// Everything that a daemon has is in a temporary directory, which [Daemon.Close]
// removes. The package never touches the system's own Postfix.
package master
