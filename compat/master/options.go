package master

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A LogMode says where a daemon under the stand-in master logs to.
type LogMode int

const (
	// LogStderr passes -V: lines come from standard error. The daemon tries
	// /dev/log as well.
	LogStderr LogMode = iota
	// LogPostlog sets maillog_file: lines come as datagrams to the postlog
	// socket in the queue directory.
	LogPostlog
	// LogSyslog runs the daemon where /dev/log is a socket of ours: lines
	// come from there. It needs the right to make mount namespaces.
	LogSyslog
)

// DefaultGeneration is the process generation that a daemon gets unless the
// options say otherwise: 17 in the environment, which is octal.
const DefaultGeneration = 0o17

// Options say how to start one daemon. Only Program is required.
type Options struct {
	Program      string   // path of the daemon
	Service      string   // name in master.cf; "scache" if empty
	MainCF       string   // lines for main.cf; they replace the stand-in's own of the same name
	Args         []string // arguments after the master's own, as in master.cf
	ExactArgs    []string // if not nil, instead of all other arguments
	Chroot       bool     // -c
	Unprivileged bool     // -u
	Verbose      int      // number of -v
	NoFile       int      // limit on descriptors, soft and hard; 0 leaves it alone
	NoThreads    bool     // no process and no thread may be started, unless by root
	Env          []string // added to the little that a master passes on
	Generation   string   // GENERATION; DefaultGeneration in octal if empty
	Log          LogMode

	// NoRead leaves standard error unread until the daemon has ended, as a terminal
	// or a supervisor that is stuck does.
	NoRead bool

	// NoDrain leaves the status channel unread, as a stuck master does.
	NoDrain bool

	// Collect leaves both unread until [Daemon.Collect] is called, or the daemon has
	// ended: so nothing of this process runs only because the daemon says something.
	Collect bool

	// Stdin and Stdout are for -S (one client on a stream). They are borrowed;
	// nil is /dev/null.
	Stdin, Stdout *os.File
}

func (o *Options) service() string {
	if o.Service == "" {
		return "scache"
	}
	return o.Service
}

// args returns the arguments without the program's name, in master(8)'s order
// (src/master/master_ent.c).
func (o *Options) args() []string {
	if o.ExactArgs != nil {
		return o.ExactArgs
	}
	args := []string{"-l"}
	if o.service() != filepath.Base(o.Program) {
		args = append(args, "-n", o.service())
	}
	args = append(args, "-t", "unix")
	for range o.Verbose {
		args = append(args, "-v")
	}
	if o.Unprivileged {
		args = append(args, "-u")
	}
	if o.Chroot {
		args = append(args, "-c")
	}
	if o.Log == LogStderr {
		args = append(args, "-V")
	}
	return append(args, o.Args...)
}

// env returns the environment that a master passes to its children
// (import_environment in src/global/mail_params.h).
func (o *Options) env(dirs *masterDirs) []string {
	generation := o.Generation
	if generation == "" {
		generation = strconv.FormatUint(DefaultGeneration, 8)
	}
	env := []string{"MAIL_CONFIG=" + dirs.config, "LANG=C", "GENERATION=" + generation}
	if tz, ok := os.LookupEnv("TZ"); ok {
		env = append(env, "TZ="+tz)
	}
	if o.Log == LogPostlog {
		env = append(env, "POSTLOG_SERVICE="+dirs.postlog(), "POSTLOG_HOSTNAME="+standInHost)
	}
	return append(env, o.Env...)
}

const standInHost = "host.example.test"

// mainCF returns the text of main.cf. The names that would otherwise be looked
// up are all given, so that no daemon waits for a name server that is not there.
func (o *Options) mainCF(dirs *masterDirs) string {
	base := [][2]string{
		{"queue_directory", dirs.queue},
		{"mail_owner", "postfix"},
		{"myhostname", standInHost},
		{"mydomain", "example.test"},
		{"mynetworks", "127.0.0.0/8"},
		{"inet_protocols", "ipv4"},
	}
	if o.Log == LogPostlog {
		base = append(base,
			[2]string{"maillog_file", dirs.top + "/maillog"},
			[2]string{"maillog_file_prefixes", dirs.top})
	}
	given := make(map[string]bool)
	for line := range strings.Lines(o.MainCF) {
		name, _, _ := strings.Cut(line, "=")
		given[strings.TrimSpace(name)] = true
	}
	var b strings.Builder
	for _, parameter := range base {
		if !given[parameter[0]] {
			fmt.Fprintf(&b, "%s = %s\n", parameter[0], parameter[1])
		}
	}
	b.WriteString(o.MainCF)
	if o.MainCF != "" && !strings.HasSuffix(o.MainCF, "\n") {
		b.WriteString("\n")
	}
	return b.String()
}

// masterDirs are the directories of one stand-in master.
type masterDirs struct {
	top     string
	config  string
	queue   string
	service string // name of the listening socket
}

func newMasterDirs(service string) (*masterDirs, error) {
	top, err := TempDir()
	if err != nil {
		return nil, err
	}
	dirs := &masterDirs{top: top, config: top + "/etc", queue: top + "/queue", service: service}
	for _, dir := range []string{dirs.config, dirs.queue, dirs.queue + "/private", dirs.queue + "/public", dirs.queue + "/pid"} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			os.RemoveAll(top)
			return nil, err
		}
	}
	return dirs, nil
}

func (d *masterDirs) postlog() string { return d.queue + "/public/postlog" }

func (d *masterDirs) socket() string { return d.queue + "/private/" + d.service }
