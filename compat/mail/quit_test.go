package mail

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"scache/compat/master"
	"scache/compat/postfix"
	"scache/compat/testbed"
)

// quitPatience is how long a session may take to expire, and a server to log it.
const quitPatience = 20 * time.Second

// quitMain are parameters with which sessions expire soon.
func quitMain(quit string) []string {
	return append([]string{"scached_quit = " + quit, "connection_cache_ttl_limit = 1s"}, byDestination...)
}

// A receiver is a mail server that everybody knows, on a port of the loopback
// interface.
type receiver struct {
	name     string
	user     string   // that it runs as
	packages []string // nil if it is installed
	// start starts it in the root directory where the packages are, until the test
	// ends.
	start func(t *testing.T, root string) (nextHop string, log func() string)
	// What it logs of a cached session that expires, without QUIT and with it.
	lost, quit *regexp.Regexp
}

var receivers = []receiver{
	{"Postfix smtpd", "", nil, startPostfixReceiver,
		regexp.MustCompile(`disconnect from \S+( (ehlo|mail|rcpt|data|rset)=\d+)+ commands=\d+`), regexp.MustCompile(`disconnect from .* quit=1 .*`)},
	{"Exim", "Debian-exim", []string{"exim4-daemon-light", "exim4-base"}, startExim,
		regexp.MustCompile(`SMTP connection from .* lost.*`), regexp.MustCompile(`SMTP connection from .* closed by QUIT`)},
	{"OpenSMTPD", "opensmtpd", []string{"opensmtpd"}, startOpenSMTPD,
		regexp.MustCompile(`smtp disconnected reason=disconnect`), regexp.MustCompile(`smtp disconnected reason=quit`)},
}

// probed is what is said about a connection without a command.
var probed = regexp.MustCompile(`disconnect(ed reason=| from)|lost D=`)

// TestReceivers shows what mail servers log of a cached session that expires.
func TestReceivers(t *testing.T) {
	testbed.Reference(t)
	for _, r := range receivers {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			root := ""
			if r.packages != nil {
				root = unpack(t, r.user, r.packages...)
			}
			t.Run("without", func(t *testing.T) { r.receive(t, root, "no", r.lost, r.quit) })
			t.Run("with", func(t *testing.T) { r.receive(t, root, "yes", r.quit, r.lost) })
		})
	}
}

// receive has a session expire, and looks for what the receiver logs.
func (r *receiver) receive(t *testing.T, root, quit string, want, other *regexp.Regexp) {
	nextHop, whole := r.start(t, root)
	// What was said about the connection that has shown that it listens.
	if !master.WaitUntil(quitPatience, func() bool { return probed.MatchString(whole()) }) {
		t.Fatalf("the log is:\n%s", whole())
	}
	begin := len(whole())
	log := func() string { return whole()[begin:] }
	p, err := postfix.Start(t.Context(), postfix.Options{Cache: testbed.Scached(t), Main: append(quitMain(quit), "relayhost = "+nextHop)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := Inject(t.Context(), p.SMTPD, Injection{Messages: 3}); err != nil {
		t.Fatal(err)
	}
	if !master.WaitUntil(quitPatience, func() bool { return want.MatchString(log()) }) {
		t.Fatalf("scached_quit = %s: no %v in the log:\n%s", quit, want, log())
	}
	t.Logf("scached_quit = %s: %s", quit, want.FindString(log()))
	if other.MatchString(log()) {
		t.Errorf("scached_quit = %s: the log also says %s", quit, other.FindString(log()))
	}
}

func startPostfixReceiver(t *testing.T, _ string) (nextHop string, log func() string) {
	p, err := postfix.Start(t.Context(), postfix.Options{Main: []string{"default_transport = discard:", "relay_transport = discard:"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return fmt.Sprintf("[%s]:%d", p.SMTPD.Addr(), p.SMTPD.Port()), func() string { return p.Log.Tail(0, 1000) }
}

func startExim(t *testing.T, root string) (nextHop string, log func() string) {
	port := freePort(t)
	makeOwned(t, root, "var/spool/exim4", "var/log/exim4")
	os.Remove(filepath.Join(root, "var/log/exim4/mainlog"))
	write(t, root, "etc/exim4/exim4.conf", fmt.Sprintf(`primary_hostname = exim.example.test
keep_environment =
log_selector = +smtp_connection
log_file_path = /var/log/exim4/%%slog
spool_directory = /var/spool/exim4
local_interfaces = 127.0.0.1
daemon_smtp_ports = %d
queue_only
tls_advertise_hosts =
acl_smtp_rcpt = accept
acl_smtp_data = accept
begin routers
sink:
  driver = redirect
  data = :blackhole:
`, port))
	serve(t, root, port, "/usr/sbin/exim4", "-bdf")
	return fmt.Sprintf("[127.0.0.1]:%d", port), func() string {
		text, _ := os.ReadFile(filepath.Join(root, "var/log/exim4/mainlog"))
		return string(text)
	}
}

func startOpenSMTPD(t *testing.T, root string) (nextHop string, log func() string) {
	port := freePort(t)
	makeOwned(t, root, "var/run", "var/empty")
	if err := os.MkdirAll(filepath.Join(root, "var/spool/smtpd"), 0o711); err != nil {
		t.Fatal(err)
	}
	// Mail stays in the queue: nobody listens at the other end.
	write(t, root, "etc/smtpd.conf", fmt.Sprintf(`listen on 127.0.0.1 port %d
action "keep" relay host smtp://127.0.0.1:9
match from any for any action "keep"
`, port))
	out := serve(t, root, port, "/usr/sbin/smtpd", "-d", "-f", "/etc/smtpd.conf")
	return fmt.Sprintf("[127.0.0.1]:%d", port), func() string {
		text, _ := os.ReadFile(out)
		return string(text)
	}
}

// unpack makes a root directory with what is in packages, and a user.
func unpack(t *testing.T, user string, packages ...string) (root string) {
	t.Helper()
	root = t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs("../../scripts/unpack-packages")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, script, append([]string{root}, packages...)...).CombinedOutput(); err != nil {
		testbed.SkipLocally(t, fmt.Sprintf("%v cannot be had: %v\n%s", packages, err, out))
	}
	write(t, root, "etc/passwd", fmt.Sprintf("root:x:0:0::/:/bin/sh\n%s:x:%d:%[2]d::/:/bin/false\nopensmtpq:x:%[3]d:%[3]d::/:/bin/false\n", user, receiverID, receiverID+1))
	write(t, root, "etc/group", fmt.Sprintf("root:x:0:\n%s:x:%d:\nopensmtpq:x:%d:\n", user, receiverID, receiverID+1))
	write(t, root, "etc/hosts", "127.0.0.1 localhost\n")
	write(t, root, "etc/aliases", "")
	makeOwned(t, root, "dev", "tmp", "run")
	for name, minor := range map[string]int{"null": 3, "urandom": 9} {
		path := filepath.Join(root, "dev", name)
		if err := syscall.Mknod(path, syscall.S_IFCHR|0o666, 1<<8|minor); err != nil {
			testbed.SkipLocally(t, "mknod: "+err.Error())
		}
		os.Chmod(path, 0o666)
	}
	return root
}

// receiverID is a number that no user of the system needs to have.
const receiverID = 64321

func makeOwned(t *testing.T, root string, dirs ...string) {
	t.Helper()
	for _, dir := range dirs {
		path := filepath.Join(root, dir)
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(dir, "exim") {
			if err := os.Chown(path, receiverID, receiverID); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func write(t *testing.T, root, name, text string) {
	t.Helper()
	path := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// serve runs a server in its root directory until the test ends, and returns when
// it takes connections. Its output is in the file.
func serve(t *testing.T, root string, port int, argv ...string) (output string) {
	t.Helper()
	output = filepath.Join(root, "tmp/output")
	file, err := os.Create(output)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Path, cmd.Err = argv[0], nil // it is looked for below root
	cmd.Dir, cmd.Stdout, cmd.Stderr = "/", file, file
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		syscall.Kill(cmd.Process.Pid, syscall.SIGTERM)
		ended := make(chan struct{})
		go func() { cmd.Wait(); close(ended) }()
		select {
		case <-ended:
		case <-time.After(patience):
		}
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	})
	address := fmt.Sprintf("127.0.0.1:%d", port)
	if !master.WaitUntil(patience, func() bool {
		conn, err := net.Dial("tcp4", address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}) {
		text, _ := os.ReadFile(output)
		t.Fatalf("%s does not listen:\n%s", argv[0], text)
	}
	return output
}

// TestQuitKinds shows that QUIT arrives through tlsproxy(8), within TLS, and that
// lmtp(8) has its sessions ended in the same way.
func TestQuitKinds(t *testing.T) {
	testbed.Reference(t)
	for _, test := range []struct {
		name   string
		sink   SinkOptions
		main   func(nextHop string) []string
		master []string
	}{
		{"SMTP", SinkOptions{}, func(nextHop string) []string { return []string{"relayhost = " + nextHop} }, nil},
		{"TLS", SinkOptions{TLS: true}, func(nextHop string) []string {
			return []string{"relayhost = " + nextHop, "smtp_tls_security_level = encrypt", "smtp_tls_connection_reuse = yes"}
		}, []string{"tlsproxy unix - - y - 0 tlsproxy"}},
		{"LMTP", SinkOptions{}, func(nextHop string) []string {
			return []string{"default_transport = lmtp:" + nextHop,
				"lmtp_connection_cache_on_demand = no", "lmtp_connection_cache_destinations = static:all"}
		}, nil},
	} {
		for quit, want := range map[string]bool{"no": false, "yes": true} {
			t.Run(test.name+" "+quit, func(t *testing.T) {
				t.Parallel()
				d := Delivery{
					Postfix: postfix.Options{Cache: testbed.Scached(t), Master: test.master},
					Sink:    test.sink,
					Mail:    Injection{Messages: 3},
					Configure: func(o *postfix.Options, sink *Sink) {
						o.Main = append(quitMain(quit), test.main(sink.NextHop())...)
					},
					After: func(ctx context.Context, p *postfix.Instance, sink *Sink) error {
						if !master.WaitUntil(quitPatience, func() bool { return sink.allEnded() }) {
							return fmt.Errorf("sessions do not end: %+v", sink.Sessions())
						}
						return nil
					},
				}
				r, err := d.Run(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if len(r.Lost) > 0 || len(r.Problems) > 0 {
					t.Errorf("lost %q, problems %v", r.Lost, r.Problems)
				}
				for i, session := range r.Sessions {
					if session.Quit != want || session.TLS != test.sink.TLS {
						t.Errorf("session %d: QUIT %v, want %v; TLS %v", i, session.Quit, want, session.TLS)
					}
				}
			})
		}
	}
}

// allEnded tells whether there were connections, and no one is open.
func (s *Sink) allEnded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions) > 0 && len(s.open) == 0
}
