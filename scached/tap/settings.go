package tap

import (
	"path"
	"strings"
	"time"

	"scache/scached/daemon"
)

const (
	// File is the base name of the file in the configuration directory that the
	// parameters stand in.
	File = "scachetap.cf"
	// Program is what the tap is called in daemon_directory.
	Program = "scachetap"
	// Suffix is what the name of the service behind the tap ends with.
	Suffix = "-tapped"
	// KeySuffix is what the file with the key of a recording ends with.
	KeySuffix = ".key"
	// DefaultRecording is where the recording is unless a parameter says otherwise.
	DefaultRecording = "${data_directory}/scache.recording"
)

// Settings are the values of the parameters.
type Settings struct {
	DataDirectory string
	Recording     string // path of the file
	SizeLimit     int    // bytes of one file
	Files         int    // how many there are at most
	Plain         bool   // names and addresses as they are
	Server        string // the service behind, or a path
	TTLLimit      time.Duration
}

// descriptors is the least limit on them with which a few clients are served.
const descriptors = 64

// Service is the tap as master(8) knows it.
func (s *Settings) Service() daemon.Service {
	return daemon.Service{Parameters: s.Parameters(), File: File, Solitary: true, Local: true, Descriptors: descriptors, Threads: 1}
}

// Socket is the path of the service behind, for a process whose working directory
// is queue_directory.
func (s *Settings) Socket() string {
	if strings.Contains(s.Server, "/") {
		return s.Server
	}
	return path.Join("private", s.Server)
}

// Parameters are all there are; their values go to s.
func (s *Settings) Parameters() []daemon.Parameter {
	return []daemon.Parameter{
		{
			Name: "data_directory", Default: "/var/lib/postfix", Target: &s.DataDirectory, Min: 1,
			Help: "where the daemons of Postfix keep files; it is a parameter of Postfix",
		},
		{
			Name: "connection_cache_ttl_limit", Default: "2s", Target: &s.TTLLimit, Min: 1,
			Help: "how long the server behind the tap keeps sessions, for the recording to say; it is a parameter of scache(8)",
		},
		{
			Name: "scachetap_recording", Default: DefaultRecording, Target: &s.Recording, Min: 1,
			Help: "the file to record into, readable by the owner of the mail system alone",
		},
		{
			Name: "scachetap_size_limit", Default: "100000000", Target: &s.SizeLimit, Min: 10000, Unit: "bytes",
			Help: "how large the file gets before the next one is begun",
		},
		{
			Name: "scachetap_files", Default: "5", Target: &s.Files, Min: 1, Unit: "files",
			Help: "how many files are kept, the older ones with .1, .2 and so on",
		},
		{
			Name: "scachetap_plain", Default: "no", Target: &s.Plain,
			Help: "record names and addresses as they are",
		},
		{
			Name: "scachetap_server", Default: "${service_name}" + Suffix, Target: &s.Server, Min: 1,
			Help: "the service to pass everything on to, or the path of its socket",
		},
	}
}
