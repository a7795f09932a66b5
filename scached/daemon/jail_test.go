package daemon

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// recorded are privileges that note what is asked of them, and refuse what
// starts with fail.
func recorded(calls *[]string, root bool, fail string) privileges {
	do := func(call string) error {
		*calls = append(*calls, call)
		if fail != "" && strings.HasPrefix(call, fail) {
			return syscall.EPERM
		}
		return nil
	}
	return privileges{
		geteuid: func() int {
			if root {
				return 0
			}
			return 7
		},
		chroot:    func(dir string) error { return do("chroot " + dir) },
		chdir:     func(dir string) error { return do("chdir " + dir) },
		setgid:    func(id int) error { return do(fmt.Sprint("setgid ", id)) },
		setgroups: func(ids []int) error { return do(fmt.Sprint("setgroups ", ids)) },
		setuid:    func(id int) error { return do(fmt.Sprint("setuid ", id)) },
		forbid:    func() error { return do("forbid") },
		seal:      func() error { return do("seal") },
		verify:    func(a *account) error { return do("verify " + a.name) },
	}
}

func TestJailOrder(t *testing.T) {
	user := &account{"postfix", 102, 105, []int{105, 11}}
	whole := []string{"chroot /q", "chdir /", "setgid 105", "setgroups [105 11]", "forbid", "threads", "setuid 102", "verify postfix", "seal"}
	tests := []struct {
		name string
		jail jail
		user bool // not root
		fail string
		want []string
		err  string
	}{
		{name: "nothing", want: []string{"threads"}},
		{name: "chroot only", jail: jail{root: "/q"}, want: []string{"chroot /q", "chdir /", "threads"}},
		{name: "user only", jail: jail{user: user}, want: whole[2:]},
		{name: "both", jail: jail{root: "/q", user: user}, want: whole},
		{
			name: "not as root", jail: jail{user: user}, user: true,
			want: []string{"setgid 105", "setgroups [105 11]", "threads", "setuid 102", "verify postfix"},
		},
		{name: "no chroot", jail: jail{root: "/q", user: user}, fail: "chroot", want: whole[:1], err: "chroot(/q): Operation not permitted"},
		{name: "no chdir", jail: jail{root: "/q", user: user}, fail: "chdir", want: whole[:2], err: "chdir(/): Operation not permitted"},
		{name: "no group", jail: jail{root: "/q", user: user}, fail: "setgid", want: whole[:3], err: "setgid(105): Operation not permitted"},
		{name: "no groups", jail: jail{root: "/q", user: user}, fail: "setgroups", want: whole[:4], err: "initgroups: Operation not permitted"},
		{name: "privileges to be had", jail: jail{root: "/q", user: user}, fail: "forbid", want: whole[:5], err: "operation not permitted"},
		{name: "no user", jail: jail{root: "/q", user: user}, fail: "setuid", want: whole[:7], err: "setuid(102): Operation not permitted"},
		{name: "not who we should be", jail: jail{root: "/q", user: user}, fail: "verify", want: whole[:8], err: "operation not permitted"},
		{name: "not sealed", jail: jail{root: "/q", user: user}, fail: "seal", want: whole, err: "operation not permitted"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var calls []string
			test.jail.threads = func() { calls = append(calls, "threads") }
			err := test.jail.enter(recorded(&calls, !test.user, test.fail))
			if errorText(err) != test.err {
				t.Errorf("error %q, want %q", errorText(err), test.err)
			}
			if diff := cmp.Diff(test.want, calls); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
		})
	}
}

// A start passes the right things to the jail; a build that cannot close it
// altogether says so.
func TestStartEntersTheJail(t *testing.T) {
	w := newWorld(t, "")
	sys := testSystem(t, w, nil)
	var calls []string
	sys.privileges = recorded(&calls, true, "")
	sys.privileges.forbid = func() error { return errThreads }
	p := sys.start([]string{"scached", "-l", "-t", "unix", "-u", "-c"}, testService())
	if p == nil {
		t.Fatal(w.log.texts())
	}
	defer p.Log.close(t)
	want := []string{"chroot " + w.dir + "/queue", "chdir /", "setgid 105", "setgroups [105 11]", "setuid 102", "verify postfix"}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	eventually(t, "the log", func() bool { return len(w.log.all()) > 0 })
	if got := w.log.texts(); len(got) != 1 || got[0] != "warning: "+errThreads.Error() {
		t.Errorf("log %q", got)
	}
}

func TestVerifyIdentity(t *testing.T) {
	groups, err := syscall.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	self := account{"self", os.Getuid(), os.Getgid(), groups}
	other := self
	other.uid++
	if err := verifyIdentity(&other); err == nil || !strings.HasPrefix(err.Error(), "user IDs are ") {
		t.Errorf("wrong user: %v", err)
	}
	other = self
	other.gid++
	if err := verifyIdentity(&other); err == nil || !strings.HasPrefix(err.Error(), "group IDs are ") {
		t.Errorf("wrong group: %v", err)
	}
	if len(groups) > 0 {
		other = self
		other.groups = nil
		if err := verifyIdentity(&other); err == nil || !strings.HasSuffix(err.Error(), "is left over after initgroups") {
			t.Errorf("a group too many: %v", err)
		}
	}
	err = verifyIdentity(&self)
	if os.Getuid() == 0 {
		if errorText(err) != "root privileges could be regained" {
			t.Errorf("root: %v", err)
		}
	} else if err != nil {
		t.Errorf("ourselves: %v", err)
	}
}

var probe struct {
	once sync.Once
	path string
	err  error
}

// probePath builds testdata/probe, the way that the daemon is built, and not
// the way that this test is: with the race detector a process cannot close its
// jail on all threads.
func probePath(t *testing.T) string {
	t.Helper()
	probe.once.Do(func() {
		probe.path = filepath.Join(os.TempDir(), fmt.Sprintf("scached-probe-%d", os.Getpid()))
		build := exec.Command("go", "build", "-o", probe.path, "./testdata/probe")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			probe.err = fmt.Errorf("%w: %s", err, out)
		}
	})
	if probe.err != nil {
		t.Fatal(probe.err)
	}
	return probe.path
}

func TestMain(m *testing.M) {
	status := m.Run()
	if probe.path != "" {
		os.Remove(probe.path)
	}
	os.Exit(status)
}

func requireRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		unavailable(t, "only root can go to jail")
	}
}

// TestJail starts a process as master(8) does, and looks at it from outside.
func TestJail(t *testing.T) {
	requireRoot(t)
	for _, chroot := range []bool{true, false} {
		t.Run(fmt.Sprintf("chroot %t", chroot), func(t *testing.T) {
			w := newWorld(t, "mail_owner = "+ownerName(t)+"\n")
			zone := filepath.Join(w.dir, "zone")
			writeZone(t, zone, 3*3600+25*60)
			args := []string{"-l", "-t", "unix", "-u", "cwd", "regain", "notify", "info=one", "wait", "info=two"}
			if chroot {
				args = append([]string{"-c"}, args...)
			}
			cmd := w.command(t, probePath(t), args, []string{"TZ=" + zone, "GENERATION=0"})
			cmd.Stderr = os.Stderr
			stdin, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer cmd.Wait()
			defer stdin.Close()

			home := w.dir + "/queue"
			seen := home
			if chroot {
				seen = "/"
			}
			want := []string{
				seen + " <nil>",
				strings.TrimSpace(strings.Repeat("operation not permitted ", 4)),
				"<nil> <nil>",
				"waiting",
			}
			if diff := cmp.Diff(want, readLines(t, stdout, len(want))); diff != "" {
				t.Fatalf("output (-want +got):\n%s\nlog: %q", diff, w.log.all())
			}
			checkInmate(t, cmd.Process.Pid, home, chroot)
			checkStatusRecords(t, cmd)

			eventually(t, "the log", func() bool { return len(w.log.all()) == 1 })
			now := time.Now().In(time.FixedZone("", 3*3600+25*60))
			if record := w.log.all()[0]; !strings.HasSuffix(record, "]: one") || !closeTo(record, now) {
				t.Errorf("log record %q at %v", record, now)
			}
			// postlogd(8) starts anew.
			w.log.close()
			again := listenLog(t, w.log.path)
			stdin.Close()
			eventually(t, "the log", func() bool { return len(again.all()) == 1 })
			if record := again.all()[0]; !strings.HasSuffix(record, "]: two") {
				t.Errorf("log record %q", record)
			}
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

func readLines(t *testing.T, r io.Reader, n int) []string {
	t.Helper()
	var lines []string
	for scanner := bufio.NewScanner(r); len(lines) < n && scanner.Scan(); {
		lines = append(lines, scanner.Text())
	}
	return lines
}

// closeTo reports whether the time in a record is not more than a minute off.
func closeTo(record string, now time.Time) bool {
	at, err := time.ParseInLocation("2006 Jan 02 15:04:05", now.Format("2006 ")+record[:15], now.Location())
	return err == nil && now.Sub(at).Abs() < time.Minute
}

// checkInmate looks at every thread of a process in jail.
func checkInmate(t *testing.T, pid int, home string, chroot bool) {
	t.Helper()
	owner, err := realSystem().accounts.mailOwner("", ownerName(t))
	if err != nil {
		t.Fatal(err)
	}
	proc := fmt.Sprintf("/proc/%d", pid)
	threads, err := filepath.Glob(proc + "/task/*/status")
	if err != nil || len(threads) == 0 {
		t.Fatalf("no threads: %v", err)
	}
	slices.Sort(owner.groups)
	want := map[string]string{
		"Uid":        fmt.Sprintf("%[1]d %[1]d %[1]d %[1]d", owner.uid),
		"Gid":        fmt.Sprintf("%[1]d %[1]d %[1]d %[1]d", owner.gid),
		"Groups":     strings.Trim(fmt.Sprint(owner.groups), "[]"),
		"NoNewPrivs": "1",
	}
	for _, set := range []string{"CapInh", "CapPrm", "CapEff", "CapAmb"} {
		want[set] = "0000000000000000"
	}
	for _, thread := range threads {
		got := map[string]string{}
		text, err := os.ReadFile(thread)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if name, value, _ := strings.Cut(line, ":"); want[name] != "" {
				got[name] = strings.Join(strings.Fields(value), " ")
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", thread, diff)
		}
	}
	root := "/"
	if chroot {
		root = home
	}
	for name, want := range map[string]string{"root": root, "cwd": home} {
		if got, err := os.Readlink(proc + "/" + name); err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", name, got, err, want)
		}
	}
	// Who is not dumpable belongs to root in /proc.
	if info, err := os.Stat(proc + "/fd"); err != nil || info.Sys().(*syscall.Stat_t).Uid != 0 {
		t.Errorf("%s/fd: %v, %v", proc, info, err)
	}
	// No file, and no directory that is a way out.
	fds, err := filepath.Glob(proc + "/fd/*")
	if err != nil || len(fds) < 7 {
		t.Errorf("descriptors: %v, %v", fds, err)
	}
	for _, fd := range fds {
		if link, _ := os.Readlink(fd); strings.HasPrefix(link, filepath.Dir(home)) || strings.HasPrefix(link, "/etc/") {
			t.Errorf("%s is %s", fd, link)
		}
	}
}

func checkStatusRecords(t *testing.T, cmd *command) {
	t.Helper()
	buf := make([]byte, 24)
	if _, err := io.ReadFull(cmd.status, buf); err != nil {
		t.Fatal(err)
	}
	var words []uint32
	for at := 0; at < len(buf); at += 4 {
		words = append(words, binary.NativeEndian.Uint32(buf[at:]))
	}
	pid := uint32(cmd.Process.Pid)
	if diff := cmp.Diff([]uint32{pid, 0, StateTaken, pid, 0, StateAvailable}, words); diff != "" {
		t.Errorf("status records (-want +got):\n%s", diff)
	}
}

// writeZone makes a time zone file with one offset from UTC, in seconds.
func writeZone(t *testing.T, path string, offset int32) {
	t.Helper()
	zone := append([]byte("TZif"), make([]byte, 16)...)
	for _, count := range []uint32{0, 0, 0, 0, 1, 4} { // one type, with a name of 4 bytes
		zone = binary.BigEndian.AppendUint32(zone, count)
	}
	zone = binary.BigEndian.AppendUint32(zone, uint32(offset))
	zone = append(zone, 0, 0, 'X', 'Y', 'Z', 0)
	if err := os.WriteFile(path, zone, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestJailWithoutRoot compares what happens to those who are not root.
func TestJailWithoutRoot(t *testing.T) {
	requireRoot(t)
	owner, err := realSystem().accounts.mailOwner("", ownerName(t))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name     string
		uid, gid int
		args     []string
		want     string
	}{
		{"another user", 65534, 65534, []string{"-u"}, fmt.Sprintf("fatal: setgid(%d): Operation not permitted", owner.gid)},
		{"the user", owner.uid, owner.gid, []string{"-u"}, "fatal: initgroups: Operation not permitted"},
		{"chroot", 65534, 65534, []string{"-c"}, "fatal: chroot(DIR/queue): Operation not permitted"},
	}
	programs := map[string]string{"ours": probePath(t)}
	if _, err := os.Stat(reference); err == nil {
		programs["reference"] = reference
	} else if os.Getenv("CI") == "true" {
		t.Errorf("NOT TESTED: there is no %s to compare with", reference)
	}
	for _, test := range tests {
		for which, program := range programs {
			t.Run(test.name+", "+which, func(t *testing.T) {
				w := newWorld(t, "mail_owner = "+owner.name+"\n")
				cmd := w.command(t, program, append([]string{"-l", "-t", "unix"}, test.args...), nil)
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(test.uid), Gid: uint32(test.gid)}}
				if err := cmd.Run(); cmd.ProcessState.ExitCode() != 1 {
					t.Errorf("exit status %v", err)
				}
				eventually(t, "the log", func() bool { return len(w.log.all()) > 0 })
				if diff := cmp.Diff([]string{w.expand(test.want)}, w.log.texts()); diff != "" {
					t.Errorf("log (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// ownerName is an account that can own a mail system here.
func ownerName(t *testing.T) string {
	t.Helper()
	files := realSystem().accounts
	for _, name := range []string{"postfix", "daemon", "mail", "nobody"} {
		if _, err := files.mailOwner("", name); err == nil {
			return name
		}
	}
	t.Fatal("no account for the tests")
	return ""
}
