package daemon

import (
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"
)

// testFD is where the descriptors of master(8) are in this process.
const testFD = 103

// testSystem stands in for the system. Its descriptors are those of a service
// with one listening socket; its privileges do nothing.
func testSystem(t *testing.T, w *world, env []string) *system {
	t.Helper()
	sys := realSystem()
	sys.getenv = getenv(w.env(env...))
	sys.hostname = func() (string, error) { return "host.example.com", nil }
	sys.isTerminal = func(int) bool { return false }
	sys.chdir = func(dir string) error { return unix.Access(dir, unix.X_OK) }
	sys.syslog = filepath.Join(w.dir, "syslog")
	sys.firstFD = testFD
	sys.accounts = testAccounts(t, w)
	sys.privileges = privileges{geteuid: os.Geteuid}
	sys.wait = func(time.Duration) {}
	sys.exit = func(int) { t.Error("exit") }
	adoptable(t)
	return sys
}

// testAccounts are those of a machine with Postfix.
func testAccounts(t *testing.T, w *world) accounts {
	t.Helper()
	files := accounts{passwd: filepath.Join(w.dir, "passwd"), group: filepath.Join(w.dir, "group")}
	for path, text := range map[string]string{
		files.passwd: "root:x:0:0:root:/root:/bin/sh\npostfix:x:102:105::/:/bin/sh\n",
		files.group:  "postfix:x:105:\nother:x:11:postfix\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// adoptable opens the descriptors that master(8) would leave.
func adoptable(t *testing.T) {
	t.Helper()
	listener, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(listener)
	if err := unix.Listen(listener, 1); err == nil {
		t.Fatal("an unbound socket listens")
	}
	if err := unix.Bind(listener, &unix.SockaddrUnix{}); err != nil { // any abstract name
		t.Fatal(err)
	}
	if err := unix.Listen(listener, 1); err != nil {
		t.Fatal(err)
	}
	for fd := testFD; fd <= testFD+3; fd++ {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil {
			t.Fatalf("descriptor %d is taken", fd)
		}
		if err := unix.Dup2(listener, fd); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(fd) })
	}
}

// captureStderr gives a system a standard error, and returns a function that
// returns what was written to it.
func captureStderr(t *testing.T, sys *system) func() string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	sys.stderr = int(w.Fd())
	return func() string {
		w.Close()
		defer r.Close()
		all, err := io.ReadAll(r)
		if err != nil {
			t.Error(err)
		}
		return string(all)
	}
}

// A command is a program that is about to be started as master(8) does it.
type command struct {
	*exec.Cmd
	status *os.File // master's end of the status channel
}

func (w *world) command(t *testing.T, program string, args, env []string) *command {
	t.Helper()
	cmd := &command{Cmd: exec.Command(program, w.expandAll(args)...)}
	cmd.Args[0] = "scache"
	cmd.Env = w.env(env...)
	cmd.Dir = w.dir
	flow, err := socketPair()
	if err != nil {
		t.Error(err)
		return cmd
	}
	status, err := socketPair()
	if err != nil {
		t.Error(err)
		return cmd
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(w.dir, "service"), Net: "unix"})
	if err != nil {
		t.Error(err)
		return cmd
	}
	listening, err := listener.File()
	if err != nil {
		t.Error(err)
		return cmd
	}
	cmd.status = status[0]
	cmd.ExtraFiles = []*os.File{flow[0], flow[1], status[1], listening}
	t.Cleanup(func() {
		for _, file := range append(flow[:], status[0], status[1], listening) {
			file.Close()
		}
		listener.Close()
	})
	return cmd
}

func socketPair() (files [2]*os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return files, err
	}
	return [2]*os.File{os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")}, nil
}

func TestDoNotRunByHand(t *testing.T) {
	tests := []struct {
		args []string
		want string
	}{
		{nil, "scached: fatal: do not run this command by hand\n"},
		{[]string{"-V", "-l", "-t", "unix"}, "scached: fatal: do not run this command by hand\n"},
		{[]string{"-d", "-V"}, "postfix/scached: fatal: service scached requires a process limit of 1\n"},
		{[]string{"-d"}, ""},
	}
	for _, test := range tests {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			w := newWorld(t, "")
			sys := testSystem(t, w, nil)
			sys.isTerminal = func(fd int) bool { return fd == 0 }
			sys.exit = func(int) {}
			stderr := captureStderr(t, sys)
			s := newStarter(sys, append([]string{"scached"}, test.args...), testService())
			defer s.Log.close(t)
			s.Log.Fatal(s.run().Error())
			if got := stderr(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestStart(t *testing.T) {
	w := newWorld(t, "max_idle = ${five}m\nfive = 5\ntest_check = NO\ntest_clients = 20\ntest_kind = two\n")
	w.write(t, "conf/own.cf", "test_clients = 30\ntest_kind = three\nconnection_cache_ttl_limit = ${five}${unit}\n")
	sys := testSystem(t, w, []string{"GENERATION=17", "MAIL_VERBOSE=", "MAIL_DEBUG="})
	var settings testSettings
	p := sys.start([]string{"/usr/lib/scached", "-lvt", "unix", "-n", "scache", "-o", "test_kind=two", "-i", "$five", "left", "over"}, settings.service())
	if p == nil {
		t.Fatal(w.log.texts())
	}
	defer p.Log.close(t)
	p.Log.Info("end")
	want := Process{
		Program: "scached", Service: "scache", Verbose: 2, Log: p.Log,
		Status: Status{FD: testFD + 2, PID: os.Getpid(), Generation: 15},
		Listen: []int{testFD + 3},
		Args:   []string{"left", "over"},
		Params: Params{
			QueueDirectory: w.dir + "/queue", MailOwner: "postfix", MyHostname: "host.example.com",
			SyslogFacility: "mail", SyslogName: "postfix", MaillogFile: "/var/log/x", PostlogService: "postlog",
			MaxIdle: 5 * time.Second, IPCTimeout: time.Hour, DaemonTimeout: 5 * time.Hour,
		},
	}
	if diff := cmp.Diff(want, *p, cmpopts.IgnoreUnexported(Process{}, Params{}, Status{}),
		cmp.Comparer(func(a, b *Log) bool { return a == b })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	wantSettings := testSettings{ttl: 5 * time.Second, period: 10 * time.Minute, kind: "two", clients: 30}
	if settings != wantSettings {
		t.Errorf("settings %+v, want %+v", settings, wantSettings)
	}
	log := []string{
		"daemon started",
		"process generation: 17 (17)",
		"warning: option -D is ignored: this program does not start a debugger",
		"end",
	}
	eventually(t, "the log", func() bool { return len(w.log.all()) >= len(log) })
	if diff := cmp.Diff(log, w.log.texts(), cmpEmpty); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	records := w.log.all()
	if !strings.Contains(records[0], " early postfix/scached[") || !strings.Contains(records[3], " host postfix/scached[") {
		t.Errorf("log records %q", records)
	}
	for fd := testFD; fd <= testFD+3; fd++ {
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("descriptor %d: flags %#x, %v", fd, flags, err)
		}
	}
}

// With -S there is a client on standard input and output, and no master.
func TestStartWithAStream(t *testing.T) {
	w := newWorld(t, "")
	sys := testSystem(t, w, nil)
	sys.isTerminal = func(int) bool { return true }
	p := sys.start([]string{"scached", "-S"}, testService())
	if p == nil {
		t.Fatal(w.log.texts())
	}
	defer p.Log.close(t)
	if !p.Status.WithoutGeneration {
		t.Error("there is a generation without one in the environment")
	}
	if !p.Stream || p.Listen != nil || p.Status.FD != -1 {
		t.Errorf("%+v", p)
	}
	if err := p.Status.Notify(StateTaken); err != nil {
		t.Errorf("notify: %v", err)
	}
}

// Where the log goes before main.cf is known, and after.
func TestWhereTheLogGoes(t *testing.T) {
	tests := []struct {
		name          string
		env           []string
		maincf        string
		early, late   string // a part of the record; "" if it is not for the postlog service
		earlyS, lateS string // the same for syslog
	}{
		{
			name: "syslog", env: []string{"POSTLOG_SERVICE="}, maincf: "maillog_file =\n",
			earlyS: "postfix/scached[", lateS: "<22>",
		},
		{
			name: "syslog with other names", env: []string{"POSTLOG_SERVICE=", "MAIL_LOGTAG=first"}, maincf: "maillog_file =\nsyslog_name = second\nsyslog_facility = local0\n",
			earlyS: "<22>", lateS: "<134>",
		},
		{
			name: "postlog", env: []string{"POSTLOG_HOSTNAME="}, maincf: "multi_instance_name = three\nmyhostname = my.host.name\n",
			early: " amnesiac postfix/scached[", late: " my three/scached[",
		},
		{
			name: "syslog, then postlog", env: []string{"POSTLOG_SERVICE="},
			earlyS: "<22>", late: " host postfix/scached[",
		},
		{
			name: "postlog, then syslog", env: []string{"MAIL_LOGTAG="}, maincf: "maillog_file =\n",
			early: " early /scached[", lateS: " postfix/scached[",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, test.maincf)
			sys := testSystem(t, w, append(test.env, "MAIL_VERBOSE=1"))
			syslog := listenLog(t, sys.syslog)
			p := sys.start([]string{"scached", "-l", "-t", "unix"}, testService())
			if p == nil {
				t.Fatal(w.log.texts(), syslog.texts())
			}
			defer p.Log.close(t)
			p.Log.Info("end")
			check := func(service *logService, line, part string) {
				if part == "" {
					return
				}
				found := func() bool {
					for _, record := range service.all() {
						if strings.HasSuffix(record, "]: "+line) && strings.Contains(record, part) {
							return true
						}
					}
					return false
				}
				eventually(t, line+" in the log", found)
			}
			check(w.log, "daemon started", test.early)
			check(w.log, "end", test.late)
			check(syslog, "daemon started", test.earlyS)
			check(syslog, "end", test.lateS)
			if lines := len(w.log.all()) + len(syslog.all()); lines != 3 && lines != 2 {
				t.Errorf("%q, %q", w.log.all(), syslog.all())
			}
		})
	}
}
