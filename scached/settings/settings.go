// Package settings declares the parameters of the connection cache, once: the
// daemon reads them, and everything that is written about them comes from here.
//
// [Settings.Service] is for package daemon, whose Start puts the values into the
// Settings, and whose Examine looks at them without starting anything. The
// package reads no file itself.
package settings

import (
	"fmt"
	"time"

	"scache/scached/cache"
	"scache/scached/daemon"
	"scache/scached/protocol"
)

// File is the base name of the file in the configuration directory in which
// parameters may stand that Postfix does not know of.
const File = "scached.cf"

// Settings are the values of the parameters.
type Settings struct {
	TTLLimit         time.Duration // whole seconds
	StatisticsPeriod time.Duration // 0 for no statistics

	Protocol     string // the version of a dialect
	LiveCheck    bool
	Control      bool
	Quit         bool
	Spaces       string // see NameSpaces
	StringLimit  int    // bytes
	Limits       cache.Limits
	ClientLimit  int
	WarningLimit int // a second; 0 for any number
}

// descriptors is the least limit on them with which a few clients are served and a
// few sessions kept.
const descriptors = 32

// Service is the connection cache as master(8) knows it.
func (s *Settings) Service() daemon.Service {
	return daemon.Service{Parameters: s.Parameters(), File: File, Solitary: true, Local: true, Descriptors: descriptors}
}

// Dialect is the one that was chosen. There is one for every value that is
// accepted.
func (s *Settings) Dialect() protocol.Dialect {
	dialect, _ := protocol.FindDialect(s.Protocol)
	return dialect
}

// Resident is how much memory the process takes at most, in bytes, with what the
// memory limit allows: what is held may be garbage once more before the runtime
// collects it, and the program itself takes some.
func (s *Settings) Resident() int64 { return 2*int64(s.Limits.Memory) + 16<<20 }

// NameSpaces are those that were chosen. What could not be read was refused.
func (s *Settings) NameSpaces() []protocol.NameSpace {
	spaces, _ := protocol.ParseNameSpaces(s.Spaces)
	return spaces
}

func (s *Settings) checkSpaces() error {
	if _, err := protocol.ParseNameSpaces(s.Spaces); err != nil {
		return fmt.Errorf("parameter scached_name_spaces: %w", err)
	}
	return nil
}

// snapshot is the version whose parameters differ from those of all later ones.
const snapshot = "20040720"

func (s *Settings) isSnapshot() bool  { return s.Protocol == snapshot }
func (s *Settings) notSnapshot() bool { return !s.isSnapshot() }

// Parameters are all there are, in the order in which they are read; their values
// go to s. The dialect comes first, since it decides about others; the two of
// scache(8) come in its order (src/scache/scache.c).
func (s *Settings) Parameters() []daemon.Parameter {
	versions := make([]string, len(protocol.Dialects))
	for i, dialect := range protocol.Dialects {
		versions[i] = dialect.Version
	}
	return []daemon.Parameter{
		{
			Name: "scached_protocol_version", Default: versions[0], Target: &s.Protocol, OneOf: versions,
			Help: "the first version of Postfix that speaks as this one does",
			More: "A dialect serves all versions up to the next one: 3.6 and later; 2.3 to 3.5, and 2.2.5 to 2.2.12; " +
				"2.2 up to 2.2.4; the snapshot 20040720. In the wrong dialect nothing is reused.",
		},
		{
			Name: "connection_cache_ttl_limit", Default: "2s", Target: &s.TTLLimit, Min: 1, When: s.notSnapshot,
			Help: "the longest time that a session or a binding is kept",
			More: "A client that asks for more gets this. It is a parameter of scache(8), too.",
		},
		{
			Name: "session_cache_ttl_limit", Default: "2s", Target: &s.TTLLimit, Min: 1, When: s.isSnapshot,
			Help: "the name of connection_cache_ttl_limit in the snapshot 20040720",
		},
		{
			Name: "connection_cache_status_update_time", Default: "600s", Target: &s.StatisticsPeriod, Min: 1, When: s.notSnapshot,
			Help: "how often statistics are logged",
			More: "They are logged at the end, too. It is a parameter of scache(8), too. The snapshot 20040720 has neither the parameter nor statistics.",
		},
		{
			Name: "scached_live_check", Default: "yes", Target: &s.LiveCheck,
			Help: "look at a session before it is handed out",
			More: "One that the server has closed, or in which it has spoken, is then skipped. With no it is handed out, as scache(8) does.",
		},
		{
			Name: "scached_control", Default: "yes", Target: &s.Control,
			Help: "answer requests of an administrator: what is in the cache, and drop it",
			More: "They come over the same socket, which only root and the owner of the mail system reach. With no they are unknown, as they are for scache(8).",
		},
		{
			Name: "scached_quit", Default: "no", Target: &s.Quit,
			Help: "say QUIT in a session that nobody is to have any more",
			More: "This is for a session that expires, is pushed out by a limit, is flushed, or is left at the end. The answer is waited for a second at most; " +
				"no request waits for it. With no the connection is closed, as scache(8) does, and some servers log that it was lost.",
		},
		{
			Name: "scached_name_spaces", Default: "", Target: &s.Spaces, Check: s.checkSpaces,
			Help: "transports that share sessions, as in relay=smtp",
			More: "What transport relay saves and looks up then goes by the name smtp. Transports keep their sessions apart since they may differ " +
				"in anything, from the source address to the TLS policy: let only those share that differ in nothing.",
		},
		{
			Name: "scached_string_limit", Default: "65536", Target: &s.StringLimit, Min: 4096, Unit: "bytes",
			Help: "the longest name or value in a request",
			More: "A client that sends a longer one is disconnected, with a warning.",
		},
		{
			Name: "scached_session_limit", Default: "20000", Target: &s.Limits.Sessions, Min: 1, Unit: "sessions",
			Help: "how many sessions are kept",
		},
		{
			Name: "scached_endpoint_session_limit", Default: "10000", Target: &s.Limits.EndpointSessions, Min: 1, Unit: "sessions",
			Help: "how many sessions of one endpoint are kept",
		},
		{
			Name: "scached_binding_limit", Default: "20000", Target: &s.Limits.Bindings, Min: 1, Unit: "bindings",
			Help: "how many bindings of destinations to endpoints are kept",
		},
		{
			Name: "scached_destination_binding_limit", Default: "1000", Target: &s.Limits.DestinationBindings, Min: 1, Unit: "bindings",
			Help: "how many bindings of one destination are kept",
			More: "A request may have to look through all of them.",
		},
		{
			Name: "scached_destination_memory_limit", Default: "1048576", Target: &s.Limits.DestinationMemory, Min: 4096, Unit: "bytes",
			Help: "how much memory the bindings of one destination may take",
			More: "A request may have to look through all of it.",
		},
		{
			Name: "scached_memory_limit", Default: "67108864", Target: &s.Limits.Memory, Min: 65536, Unit: "bytes",
			Help: "how much memory sessions, bindings and unfinished requests may take together",
			More: "Whichever of the three takes most gives some up. The process takes at most twice as much, and 16 MB.",
		},
		{
			Name: "scached_client_limit", Default: "10000", Target: &s.ClientLimit, Min: 1, Unit: "clients",
			Help: "how many clients are connected at a time",
		},
		{
			Name: "scached_warning_limit", Default: "100", Target: &s.WarningLimit, Min: 0, Unit: "warnings a second",
			Help: "how many warnings about clients are logged; 0 for any number",
			More: "Ten times as many may come at once. How many were not logged is logged. Warnings about the daemon itself are not limited.",
		},
	}
}
