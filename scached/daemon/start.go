package daemon

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A Process is a Postfix daemon about to enter its event loop.
type Process struct {
	Program string // the base name of argv[0]
	Service string // the service's name in master.cf
	Verbose int    // how many -v, and one for MAIL_VERBOSE
	Log     *Log
	Params  Params // those that every daemon has; a service's own are in their targets
	Status  Status
	Listen  []int // borrowed from master(8), which shares them: non-blocking, and to stay so
	Stream  bool  // -S: no listening descriptors and no status channel, but one client on 0 and 1

	// Args are left-over arguments. The reference dies of the first one, with
	// "unexpected command-line argument: X", when the first client speaks.
	Args []string

	solitary bool // the service has a process limit of 1
	reported bool // master(8) knows that we survived a burst of requests
}

// system is the world outside, for tests to stand in.
type system struct {
	getenv     func(name string) (value string, ok bool)
	hostname   func() (string, error)
	isTerminal func(fd int) bool
	chdir      func(dir string) error
	syslog     string // path of the log socket
	stderr     int    // descriptor of standard error
	firstFD    int    // of the descriptors that master(8) has left
	accounts   accounts
	privileges privileges
	wait       func(time.Duration)
	exit       func(status int)
}

func realSystem() *system {
	return &system{
		getenv:     os.LookupEnv,
		hostname:   os.Hostname,
		isTerminal: isTerminal,
		chdir:      unix.Chdir,
		syslog:     "/dev/log",
		stderr:     2,
		firstFD:    flowReadFD,
		accounts:   accounts{passwd: "/etc/passwd", group: "/etc/group"},
		privileges: realPrivileges,
		wait:       pause,
		exit:       os.Exit,
	}
}

func isTerminal(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	return err == nil
}

// Start does what every Postfix daemon does between its first instruction and
// its event loop, in the reference's order (src/master/multi_server.c):
// environment, log, main.cf, options, parameters, checks, working directory,
// jail. args are the program's, with its name first.
//
// Whatever is wrong is logged, and the process exits with status 1 a second
// later. Afterwards the parameters of the service are in their targets, the
// working directory is queue_directory, and if -u was given the process is
// mail_owner's without a way back.
func Start(args []string, service Service) *Process {
	return realSystem().start(args, service)
}

func (sys *system) start(args []string, service Service) *Process {
	s := newStarter(sys, args, service)
	if err := s.run(); err != nil {
		s.Log.Fatal(err.Error())
		return nil // only where a test has taken the exit away
	}
	return &s.Process
}

// A starter is a process on its way up.
type starter struct {
	Process
	sys     *system
	service Service
	args    []string
	config  *config
	general []Parameter
	opts    Options
	owner   *account
	tag     string // of the lines in the log
}

func newStarter(sys *system, args []string, service Service) *starter {
	s := &starter{sys: sys, service: service}
	if len(args) > 0 {
		s.Program = args[0][strings.LastIndexByte(args[0], '/')+1:]
		s.args = args[1:]
	}
	s.Log = newLog()
	s.Log.wait, s.Log.exit = sys.wait, sys.exit
	dir, ok := sys.getenv("MAIL_CONFIG")
	if !ok {
		dir = "/etc/postfix"
	}
	s.config = newConfig(dir, s.Log.Warning)
	s.config.own = service.File
	s.general = s.Params.parameters(s.config, s.Log, sys.hostname)
	return s
}

func (s *starter) run() error {
	// A process that went away is an error of the call that speaks to it.
	signal.Ignore(unix.SIGPIPE, unix.SIGXFSZ)
	steps := []func() error{
		s.openFirstLog,
		s.readConfig,
		s.readOptions,
		s.readParams,
		s.openLog,
		s.checkTerminal,
		s.checkDescriptors,
		s.readServiceParams,
		s.checkOptions,
		s.readGeneration,
		s.goHome,
		s.enterJail,
		s.adoptDescriptors,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// openFirstLog logs to where the environment says until main.cf has been read
// (src/global/maillog_client.c, src/global/mail_task.c).
func (s *starter) openFirstLog() error {
	if _, ok := s.sys.getenv("MAIL_VERBOSE"); ok {
		s.Verbose = 1
	}
	tag, ok := s.sys.getenv("MAIL_LOGTAG")
	if !ok {
		// Nothing is defined yet, so this is the last resort of the default.
		tag, _ = s.config.eval(defaultSyslogName)
	}
	s.tag = tag + "/" + s.Program
	if path, _ := s.sys.getenv("POSTLOG_SERVICE"); path != "" {
		host, _ := s.sys.getenv("POSTLOG_HOSTNAME")
		if host == "" {
			host = "amnesiac"
		}
		s.Log.usePostlog(s.tag, host, path)
	} else {
		s.Log.useSyslog(s.tag, s.sys.syslog)
	}
	if s.Verbose > 0 {
		s.Log.Info("daemon started")
	}
	return nil
}

// readConfig reads main.cf, and the service's own file. The two names that are
// set before can be overridden there, with a warning, and nobody cares.
func (s *starter) readConfig() error {
	s.config.set("process_name", s.Program, FromMainCF)
	s.config.set("config_directory", s.config.dir, FromMainCF)
	if err := s.config.load(); err != nil {
		return err
	}
	return s.config.loadOwn(s.known)
}

// known tells whether a parameter is one that the daemon reads.
func (s *starter) known(name string) bool {
	named := func(p Parameter) bool { return p.Name == name }
	return slices.ContainsFunc(s.service.Parameters, named) || slices.ContainsFunc(s.general, named)
}

func (s *starter) readOptions() error {
	opts, err := ParseOptions(s.Program, s.args)
	s.opts = opts
	s.Service, s.Stream, s.Args, s.solitary = opts.Service, opts.Stream, opts.Args, opts.Solitary
	s.Verbose += opts.Verbose
	if opts.Stderr {
		s.Log.useStderr(s.tag, s.sys.stderr)
	}
	if err != nil {
		return err
	}
	for _, a := range opts.Assignments {
		s.config.set(a.Name, a.Value, FromCommandLine)
	}
	s.config.set("service_name", opts.Service, FromMainCF)
	return nil
}

func (s *starter) readParams() error {
	if err := s.config.readParameters(s.general); err != nil {
		return err
	}
	var err error
	s.owner, err = s.sys.accounts.mailOwner(s.config.path(), s.Params.MailOwner)
	if err != nil {
		return err
	}
	s.Status = Status{FD: s.sys.firstFD + statusFD - flowReadFD, PID: s.Log.pid}
	if s.Stream {
		s.Status.FD = -1
	}
	s.config.set("process_id", fmt.Sprint(s.Log.pid), FromMainCF)
	return nil
}

// openLog logs to where main.cf says.
func (s *starter) openLog() error {
	s.tag = s.Params.SyslogName + "/" + s.Program
	if s.opts.Stderr {
		s.Log.useStderr(s.tag, s.sys.stderr)
	}
	if s.Params.MaillogFile == "" {
		s.Log.useSyslog(s.tag, s.sys.syslog)
		return nil
	}
	if err := s.config.checkMaillogFile(s.Params.MaillogFile); err != nil {
		return err
	}
	s.Log.usePostlog(s.tag, s.Params.MyHostname, s.Params.QueueDirectory+"/public/"+s.Params.PostlogService)
	return nil
}

func (s *starter) checkTerminal() error {
	if s.opts.Interactive || s.Stream || !s.sys.isTerminal(0) {
		return nil
	}
	s.Log.useStderr(s.Program, s.sys.stderr)
	return errors.New("do not run this command by hand")
}

// checkDescriptors is before anything of the Go runtime needs descriptors: without
// them it ends the process in its own words. It has set the limit to the highest
// possible already.
func (s *starter) checkDescriptors() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return &callError{"getrlimit", err}
	}
	if least := s.service.Descriptors; limit.Cur < uint64(least) {
		return fmt.Errorf("the limit on file descriptors (ulimit -n) is %d: at least %d are needed", limit.Cur, least)
	}
	return nil
}

func (s *starter) readServiceParams() error {
	if err := s.config.readParameters(s.service.Parameters); err != nil {
		return err
	}
	if s.service.Check != nil {
		return s.service.Check()
	}
	return nil
}

func (s *starter) checkOptions() error {
	if s.Stream {
		return nil
	}
	if s.service.Solitary && !s.opts.Solitary {
		return fmt.Errorf("service %s requires a process limit of 1", s.Service)
	}
	if !s.opts.HasTransport {
		return errors.New("no transport type specified")
	}
	switch transport := s.opts.Transport; strings.ToLower(transport) {
	case "unix":
		return nil
	case "inet", "pass":
		if s.service.Local {
			return fmt.Errorf("transport type %s cannot carry file descriptors: specify unix for service %s in master.cf",
				transport, s.Service)
		}
		return nil
	default:
		return fmt.Errorf("unsupported transport type: %s", transport)
	}
}

func (s *starter) readGeneration() error {
	generation, ok := s.sys.getenv("GENERATION")
	if s.Status.WithoutGeneration = !ok; ok {
		if !allDigits(generation) {
			return fmt.Errorf("bad generation: %s", generation)
		}
		s.Status.Generation = octal(generation)
		if s.Verbose > 0 {
			s.Log.Info(fmt.Sprintf("process generation: %s (%o)", generation, s.Status.Generation))
		}
	}
	if _, ok := s.sys.getenv("MAIL_DEBUG"); ok || s.opts.Debug {
		s.Log.Warning("option -D is ignored: this program does not start a debugger")
	}
	return nil
}

// goHome makes queue_directory the working directory, where the log service is
// found from inside the jail and outside.
func (s *starter) goHome() error {
	if err := s.sys.chdir(s.Params.QueueDirectory); err != nil {
		return &callError{"chdir(\"" + s.Params.QueueDirectory + "\")", err}
	}
	if s.Params.MaillogFile != "" {
		s.Log.reachAt("public/" + s.Params.PostlogService)
	}
	return nil
}

func (s *starter) enterJail() error {
	_, _ = time.Now().Zone() // loads the time zone, which is out of reach in a jail
	j := jail{threads: func() { reserveThreads(s.service.Threads) }}
	if s.opts.Chroot {
		j.root = s.Params.QueueDirectory
	}
	if s.opts.Unprivileged {
		j.user = s.owner
	}
	err := j.enter(s.sys.privileges)
	if err == errThreads {
		s.Log.Warning(err.Error())
		return nil
	}
	return err
}

// adoptDescriptors looks at what master(8) has left us and keeps it from
// programs that we might start.
func (s *starter) adoptDescriptors() error {
	if s.Stream {
		return nil
	}
	first := s.sys.firstFD + listenFD - flowReadFD
	for fd := first; fd < first+s.opts.Sockets; fd++ {
		listening, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
		if err != nil || listening == 0 {
			return fmt.Errorf("descriptor %d is not a listening socket: only master(8) can start this program", fd)
		}
		s.Listen = append(s.Listen, fd)
	}
	for fd := s.sys.firstFD; fd < first+s.opts.Sockets; fd++ {
		if err := closeOnExec(fd); err != nil {
			return err
		}
	}
	return nil
}

// closeOnExec is in the words of src/util/close_on_exec.c.
func closeOnExec(fd int) error {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	if err != nil {
		return &callError{"fcntl: get flags", err}
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, flags|unix.FD_CLOEXEC); err != nil {
		return &callError{"fcntl: set close-on-exec flag on", err}
	}
	return nil
}
