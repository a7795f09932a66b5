package manual

import (
	"io"
	"time"

	"scache/scached/daemon"
	"scache/scached/tap"
)

// Daemon writes the manual page scached(8).
func Daemon(w io.Writer, date time.Time) error {
	p := begin(w, date, "scached", "8", "Postfix shared connection cache server")
	p.section("SYNOPSIS")
	p.macro("Nm")
	p.macro("Op", "generic Postfix daemon options")
	p.section("DESCRIPTION")
	p.text(`The scached server maintains a cache of connections that the Postfix SMTP client smtp(8)
leaves open, so that the next delivery to the same destination need not make a new one.
It takes the place of scache(8): it answers the same requests with the same bytes and writes
the same statistics, so that an unmodified Postfix uses it. It speaks the attribute protocol
of Postfix in the dialect that scached_protocol_version names.

The cache is organized as that of scache(8) is, into destinations, endpoints and sessions.
A destination is what mail is routed to; a binding leads from it to an endpoint, a remote
address and port; a session is an open connection to an endpoint, with the properties that
the client needs to go on with it. Each has a limited time to live.

It is started by master(8) and is not to be run by hand. scachectl(1) puts it into
master.cf and takes it out again, says whether its configuration is right, and compares it
with scache(8).`)
	p.section("SECURITY")
	p.text(`The server speaks to local clients only: those that may enter the directory private below
queue_directory, which are root and mail_owner. It opens no connections and reads none of the
sessions that it keeps. It starts as root where master(8) does, and then runs as mail_owner
with that account's groups, without any capability and without a way to get one, and closed to
debuggers and core dumps, since properties of sessions are other people's data. It can run in
the chroot jail.`)
	p.section("FILES")
	p.list(func() {
		p.macro("It", "Pa", "/etc/postfix/main.cf")
		p.text("Parameters of Postfix.")
		p.macro("It", "Pa", "/etc/postfix/scached.cf")
		p.text("Parameters of this server.")
		p.macro("It", "Pa", "/etc/postfix/master.cf")
		p.text("The entry of the scache service, with the program and its options.")
	})
	p.section("DIAGNOSTICS")
	p.text(`Problems are logged to syslogd(8), or to postlogd(8) when maillog_file says so, in the words
of scache(8) where that has any. Statistics are logged every
connection_cache_status_update_time, when the process ends, and when Postfix is reloaded. What
is given up because of a limit is logged once a minute at most, and warnings about what clients
send are limited by scached_warning_limit. With -v the server says which version it is, and
every request.

A mistake in a parameter ends the process at its start, with a fatal error in the log.
"scachectl check" finds it before that.`)
	p.section("CONFIGURATION PARAMETERS")
	p.text(`Changes take effect when the process starts; "postfix reload" starts it anew. Parameters are
read from main.cf, then from scached.cf in the same directory, then from the options -o in
master.cf; the last one counts. Postfix does not know those whose names begin with "scached_":
they belong into scached.cf, since in main.cf postconf(1) takes them for mistakes.`)
	p.parameters(own())
	p.section("MISCELLANEOUS CONTROLS")
	p.text(`Parameters of every Postfix daemon, from main.cf as a rule. "postconf -d" tells the defaults of
this system.`)
	p.parameters(daemon.GeneralParameters())
	p.section("SEE ALSO")
	p.seeAlso("scachectl 1", "master 5", "postconf 5", "scached.cf 5", "master 8", "postlogd 8", "scache 8", "smtp 8")
	p.section("BUGS")
	p.text(`User names come from /etc/passwd and /etc/group: mail_owner has to be there.

The time zone is a name or a file, not a POSIX rule.

The -D option does not start a debugger, and more than one -v says what one says.`)
	return p.err
}

// Config writes the manual page scached.cf(5).
func Config(w io.Writer, date time.Time) error {
	p := begin(w, date, "scached.cf", "5", "parameters of the connection cache server scached")
	p.section("SYNOPSIS")
	p.macro("Pa", "/etc/postfix/scached.cf")
	p.section("DESCRIPTION")
	p.text(`The file is optional and stands beside main.cf. It has the syntax of main.cf, which
postconf(5) describes: lines "name = value", lines that begin with white space and continue the
line before, and comments that begin with "#". A value may refer to another parameter with
"$name".

What stands in it takes the place of what main.cf says, and "-o name=value" in master.cf takes
the place of both. Parameters of Postfix that scached(8) reads may stand in it, too; they then
hold for scached(8) alone.`)
	p.section("CONFIGURATION PARAMETERS")
	p.parameters(own())
	p.section("EXAMPLES")
	p.text(`A cache in front of servers that keep idle connections for long, and that takes little memory:`)
	p.literal(`connection_cache_ttl_limit = 30s
scached_session_limit = 1000
scached_memory_limit = 16777216`)
	p.section("DIAGNOSTICS")
	p.text(`A name that scached(8) does not know is a warning in the log, a value that is wrong ends it.
"scachectl check" says both before "postfix reload" puts the file into effect.`)
	p.section("SEE ALSO")
	p.seeAlso("scachectl 1", "master 5", "postconf 5", "scached 8")
	p.section("BUGS")
	p.text(`postconf(1) knows nothing of the file.`)
	return p.err
}

// Tap writes the manual page scachetap(8).
func Tap(w io.Writer, date time.Time) error {
	p := begin(w, date, "scachetap", "8", "recorder in front of the Postfix connection cache")
	p.section("SYNOPSIS")
	p.macro("Nm")
	p.macro("Op", "generic Postfix daemon options")
	p.section("DESCRIPTION")
	p.text(`The scachetap relay stands between smtp(8) and the connection cache server, scached(8) or
scache(8), passes on what they say to each other, and records it. "scachectl tap install"
puts it there and "scachectl tap remove" takes it out again; it is not to be run by hand.
What it has recorded is played to both servers by "scachectl diff", and used as a load by
"scachectl replay".

Messages pass at the boundaries at which they come. A descriptor passes when its receiver has
read all that came before it, and stays with its sender until then. What the file cannot take
in time is left out, and the recording says how much that was, so that no disk holds up mail.
When the relay dies, smtp(8) goes on as without a cache until master(8) has started it again.

The recording has a line in JSON for each thing that happened: connection, direction, bytes,
descriptors by number, time. Names and addresses are replaced by keyed hashes, the same one by
the same hash and by one of the same form.`)
	p.section("SECURITY")
	p.text(`The relay never reads from a session, writes to it or changes its flags. The recording and
the key of its hashes belong to mail_owner and have mode 0600. Whoever has the key can tell
whether a name that he guesses is in the recording; "scachectl tap remove" removes it.`)
	p.section("FILES")
	p.list(func() {
		p.macro("It", "Pa", "/etc/postfix/main.cf")
		p.text("Parameters of Postfix.")
		p.macro("It", "Pa", "/etc/postfix/"+tap.File)
		p.text(`Parameters of this relay, written by "scachectl tap install".`)
		p.macro("It", "Pa", "/var/lib/postfix/scache.recording")
		p.text("The recording, and with .key the key of its hashes.")
	})
	p.section("DIAGNOSTICS")
	p.text(`Problems are logged to syslogd(8), or to postlogd(8) when maillog_file says so: a server
that cannot be connected to, and, once a minute at most, a recording that cannot be written.`)
	p.section("CONFIGURATION PARAMETERS")
	p.parameters(new(tap.Settings).Parameters())
	p.section("MISCELLANEOUS CONTROLS")
	p.text(`Parameters of every Postfix daemon, from main.cf as a rule. "postconf -d" tells the defaults of
this system.`)
	p.parameters(daemon.GeneralParameters())
	p.section("SEE ALSO")
	p.seeAlso("scachectl 1", "master 8", "postlogd 8", "scache 8", "scached 8", "smtp 8")
	return p.err
}
