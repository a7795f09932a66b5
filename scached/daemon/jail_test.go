package daemon

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

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
