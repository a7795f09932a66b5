package install_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"scache/compat/testbed"
	"scache/scached/install"
)

func TestMain(m *testing.M) {
	if os.Getenv(asNobody) != "" {
		installAsNobody()
		return
	}
	testbed.Main(m)
}

const masterCF = `# comment
smtp      inet  n       -       y       -       -       smtpd
scache    unix  -       -       y       -       1       scache
  -o { max_idle = 3s }
# another
anvil     unix  -       -       y       -       1       anvil
`

// An installTest is a configuration of its own to install into.
type installTest struct {
	*testing.T
	options install.Options
	out     bytes.Buffer
	sbin    string
}

func newInstallTest(t *testing.T) *installTest {
	testbed.Reference(t)
	it := &installTest{T: t, sbin: t.TempDir()}
	it.options = install.Options{Daemon: testbed.Scached(t), ConfigDir: it.newConfig(), Out: &it.out}
	it.put(filepath.Join(it.sbin, "scache"), "the reference")
	return it
}

// newConfig makes the configuration directory of an instance.
func (it *installTest) newConfig() string {
	dir := it.TempDir()
	it.put(filepath.Join(dir, "main.cf"), "libexec = "+it.sbin+"\ndaemon_directory = ${libexec}\n")
	it.put(filepath.Join(dir, "master.cf"), masterCF)
	return dir
}

func (it *installTest) config(name string) string { return filepath.Join(it.options.ConfigDir, name) }
func (it *installTest) daemon() string            { return filepath.Join(it.sbin, "scached") }

func (it *installTest) put(path, text string) {
	it.Helper()
	it.must(os.WriteFile(path, []byte(text), 0o640))
	// Postfix programs read a file until its last change is two seconds ago.
	past := time.Now().Add(-time.Hour)
	it.must(os.Chtimes(path, past, past))
}

// edit replaces a text that is in a file once.
func (it *installTest) edit(path, from, to string) {
	it.Helper()
	before := it.get(path)
	if strings.Count(before, from) != 1 {
		it.Fatalf("%q is not in %s once:\n%s", from, path, before)
	}
	it.put(path, strings.Replace(before, from, to, 1))
}

func (it *installTest) get(path string) string {
	it.Helper()
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return "(no such file)"
	}
	it.must(err)
	return string(data)
}

func (it *installTest) must(err error) {
	it.Helper()
	if err != nil {
		it.Fatalf("%v\n%s", err, it.out.String())
	}
}

func (it *installTest) refused(err error, reason string) {
	it.Helper()
	if err == nil || !strings.Contains(err.Error(), reason) {
		it.Errorf("error %v, want %q in it", err, reason)
	}
}

func (it *installTest) told(text string) {
	it.Helper()
	if !strings.Contains(it.out.String(), text) {
		it.Errorf("%q not told in:\n%s", text, it.out.String())
	}
	it.out.Reset()
}

// anotherDaemon is a daemon that differs from the first one.
func (it *installTest) anotherDaemon() string {
	path := filepath.Join(it.TempDir(), "another")
	it.must(os.WriteFile(path, []byte(it.get(it.options.Daemon)+"later"), 0o755))
	return path
}

// state is all that the installation could have touched.
func (it *installTest) state() map[string]string {
	it.Helper()
	state := map[string]string{}
	for _, dir := range []string{it.options.ConfigDir, it.sbin} {
		entries, err := os.ReadDir(dir)
		it.must(err)
		for _, entry := range entries {
			path := filepath.Join(dir, entry.Name())
			info, err := entry.Info()
			it.must(err)
			text := it.get(path)
			if len(text) > 10000 {
				text = fmt.Sprintf("%d bytes", len(text))
			}
			state[path] = info.Mode().String() + " " + text
		}
	}
	return state
}

func (it *installTest) unchanged(before map[string]string) {
	it.Helper()
	if diff := cmp.Diff(before, it.state()); diff != "" {
		it.Errorf("files changed (-before +after):\n%s", diff)
	}
}

// masterIs compares master.cf with what it was, one text replaced.
func (it *installTest) masterIs(from, to string) {
	it.Helper()
	if diff := cmp.Diff(strings.Replace(masterCF, from, to, 1), it.get(it.config("master.cf"))); diff != "" {
		it.Errorf("master.cf (-want +got):\n%s", diff)
	}
}

func TestInstall(t *testing.T) {
	for _, test := range []struct {
		name string
		run  func(it *installTest)
	}{
		{"there and back", func(it *installTest) {
			before := it.state()
			it.must(install.Install(it.options))
			it.masterIs("1       scache", "1       scached")
			if it.get(it.daemon()) != it.get(it.options.Daemon) {
				it.Error("another daemon")
			}
			info, err := os.Stat(it.daemon())
			it.must(err)
			if info.Mode() != 0o755 {
				it.Errorf("mode %v", info.Mode())
			}
			it.told("change the command of service scache in " + it.config("master.cf") + " from scache to scached")
			it.must(install.Uninstall(it.options))
			it.told(`now run "postfix reload"`)
			it.unchanged(before)
		}},
		{"dry run", func(it *installTest) {
			it.options.DryRun = true
			before := it.state()
			it.must(install.Install(it.options))
			it.unchanged(before)
			it.told("would copy ")
			it.options.DryRun = false
			it.must(install.Install(it.options))
			before = it.state()
			it.options.DryRun = true
			it.must(install.Uninstall(it.options))
			it.unchanged(before)
			it.told("would remove ")
		}},
		{"a new daemon replaces the old", func(it *installTest) {
			before := it.state()
			it.must(install.Install(it.options))
			it.must(install.Install(it.options))
			it.told("nothing changed")
			it.options.Daemon = it.anotherDaemon()
			it.must(install.Install(it.options))
			if it.get(it.daemon()) != it.get(it.options.Daemon) {
				it.Error("it is the old one")
			}
			it.must(install.Uninstall(it.options))
			it.unchanged(before)
		}},
		{"the entry is edited in between", func(it *installTest) {
			it.must(install.Install(it.options))
			it.edit(it.config("master.cf"), "scached\n  -o { max_idle = 3s }", "scached -v -o max_idle=4s")
			it.options.Daemon = it.anotherDaemon()
			it.must(install.Install(it.options))
			it.masterIs("scache\n  -o { max_idle = 3s }", "scached -v -o max_idle=4s")
			it.edit(it.config("master.cf"), "scached -v", "scached -v -v")
			it.must(install.Uninstall(it.options))
			it.masterIs("scache\n  -o { max_idle = 3s }", "scache -v -v -o max_idle=4s")
		}},
		{"the daemon is changed in between", func(it *installTest) {
			it.must(install.Install(it.options))
			it.put(it.daemon(), "somebody else's")
			it.options.Daemon = it.anotherDaemon()
			it.refused(install.Install(it.options), "changed by somebody else")
			it.must(install.Uninstall(it.options))
			it.masterIs("", "")
			if got := it.get(it.daemon()); got != "somebody else's" {
				it.Errorf("daemon: %q", got)
			}
		}},
		{"the entry is changed back by hand", func(it *installTest) {
			before := it.state()
			it.must(install.Install(it.options))
			it.edit(it.config("master.cf"), "scached", "scache")
			os.Chmod(it.config("master.cf"), 0o640)
			it.must(install.Uninstall(it.options))
			it.unchanged(before)
		}},
		{"a file in the daemon's place", func(it *installTest) {
			it.put(it.daemon(), "somebody else's")
			before := it.state()
			it.refused(install.Install(it.options), "not put there by this command")
			it.unchanged(before)
		}},
		{"a daemon that is there before", func(it *installTest) {
			it.put(it.daemon(), it.get(it.options.Daemon))
			it.must(os.Chmod(it.daemon(), 0o755))
			before := it.state()
			it.options.Daemon = ""
			it.must(install.Install(it.options))
			it.masterIs("1       scache", "1       scached")
			it.must(install.Uninstall(it.options))
			it.unchanged(before)
		}},
		{"two instances", func(it *installTest) {
			before := it.state()
			first, second := it.options, it.options
			second.ConfigDir = it.newConfig()
			it.must(install.Install(first))
			it.must(install.Install(second))
			it.must(install.Uninstall(first))
			it.told("used by")
			if it.get(it.daemon()) != it.get(it.options.Daemon) {
				it.Fatal("the daemon of the second instance is gone")
			}
			it.must(install.Install(first))
			it.must(install.Uninstall(second))
			it.must(install.Uninstall(first))
			it.unchanged(before)
		}},
		{"all instances", func(it *installTest) {
			before := it.state()
			second := it.options
			second.ConfigDir = it.newConfig()
			it.must(install.Install(it.options))
			it.must(install.Install(second))
			it.Setenv("MAIL_CONFIG", it.options.ConfigDir)
			it.must(install.UninstallAll(it.options))
			it.unchanged(before)
			it.must(install.UninstallAll(it.options)) // none is left
			it.options = second
			it.masterIs("", "")
		}},
		{"an instance of postmulti", func(it *installTest) {
			it.Setenv("MAIL_CONFIG", it.options.ConfigDir)
			before := it.state()
			o := it.options
			o.ConfigDir = ""
			it.must(install.Install(o))
			it.masterIs("1       scache", "1       scached")
			it.must(install.Uninstall(o))
			it.unchanged(before)
		}},
		{"a label", func(it *installTest) {
			const name = "security.selinux"
			for path, label := range map[string]string{
				filepath.Join(it.sbin, "scache"): "system_u:object_r:postfix_exec_t:s0",
				it.config("master.cf"):           "system_u:object_r:postfix_etc_t:s0",
			} {
				if err := unix.Setxattr(path, name, []byte(label), 0); err != nil {
					testbed.SkipLocally(it.T, "this file system has no SELinux labels: "+err.Error())
				}
			}
			it.must(install.Install(it.options))
			for path, want := range map[string]string{
				it.daemon():            "system_u:object_r:postfix_exec_t:s0",
				it.config("master.cf"): "system_u:object_r:postfix_etc_t:s0",
			} {
				label := make([]byte, 100)
				n, err := unix.Getxattr(path, name, label)
				it.must(err)
				if got := string(label[:n]); got != want {
					it.Errorf("%s: label %q, want %q", path, got, want)
				}
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(newInstallTest(t)) })
	}
}

// What is refused is refused by check, too, and nothing is changed.
func TestRefused(t *testing.T) {
	patched := func(it *installTest, offset int, patch string) {
		program := []byte(it.get(it.options.Daemon))
		copy(program[offset:], patch)
		it.options.Daemon = filepath.Join(it.TempDir(), "patched")
		it.must(os.WriteFile(it.options.Daemon, program, 0o755))
	}
	const machine, entryPoint = 18, 24 // in the ELF header
	for _, test := range []struct {
		name    string
		prepare func(it *installTest)
		reason  string
	}{
		{"no daemon", func(it *installTest) { it.options.Daemon = "/nowhere" }, "no such file"},
		{"no daemon in its place", func(it *installTest) { it.options.Daemon = "" }, "no such file"},
		{"no program", func(it *installTest) { it.options.Daemon = "/etc/passwd" }, "is no program"},
		{"another program", func(it *installTest) { it.options.Daemon = "/bin/ls" }, "is not scached"},
		{"another machine", func(it *installTest) { patched(it, machine, "\x08\x00") }, "for another machine: EM_MIPS"},
		{"it does not run", func(it *installTest) { patched(it, entryPoint, "\x01\x00\x00\x00\x00\x00\x00\x00") }, "does not run: signal"},
		{"another service", func(it *installTest) { it.edit(it.config("master.cf"), "1       scache", "1       other") }, "does not run scache, but other"},
		{"no service", func(it *installTest) { it.edit(it.config("master.cf"), "scache    unix", "#scache   unix") }, "not exactly one service"},
		{"a bad value in main.cf", func(it *installTest) {
			it.put(it.config("main.cf"), it.get(it.config("main.cf"))+"connection_cache_ttl_limit = 0\n")
		}, "invalid connection_cache_ttl_limit: 0 (min 1)"},
		{"a bad value in scached.cf", func(it *installTest) {
			it.put(it.config("scached.cf"), "scached_client_limit = many\n")
		}, "bad numerical configuration: scached_client_limit = many"},
		{"a bad value in master.cf", func(it *installTest) {
			it.edit(it.config("master.cf"), "max_idle = 3s", "scached_live_check = perhaps")
		}, "bad boolean configuration: scached_live_check = perhaps"},
		{"a bad option in master.cf", func(it *installTest) {
			it.edit(it.config("master.cf"), "  -o { max_idle = 3s }", "  -Z")
		}, "invalid option: Z"},
		{"a bad mail_owner", func(it *installTest) {
			it.put(it.config("main.cf"), it.get(it.config("main.cf"))+"mail_owner = root\n")
		}, "mail_owner: user root has privileged user ID"},
		{"transports that share sessions and differ", func(it *installTest) {
			it.put(it.config("master.cf"), it.get(it.config("master.cf"))+"smtp unix - - y - - smtp\nrelay unix - - y - - smtp -o syslog_name=relay -o smtp_bind_address=127.0.0.2\n")
			it.put(it.config("scached.cf"), "scached_name_spaces = relay=smtp\n")
		}, `relay and smtp share sessions, but they differ in smtp_bind_address: "127.0.0.2" and ""`},
		{"no queue", func(it *installTest) {
			it.put(it.config("main.cf"), it.get(it.config("main.cf"))+"queue_directory = /nowhere\n")
		}, "/nowhere"},
	} {
		t.Run(test.name, func(t *testing.T) {
			it := newInstallTest(t)
			test.prepare(it)
			before := it.state()
			it.refused(install.Install(it.options), test.reason)
			it.refused(install.Check(it.options), test.reason)
			it.unchanged(before)
		})
	}
	t.Run("nothing installed", func(t *testing.T) {
		it := newInstallTest(t)
		before := it.state()
		it.refused(install.Uninstall(it.options), "not installed")
		it.unchanged(before)
	})
}

// pretend makes the system's postconf that of another version, which knows no
// option that came later.
func (it *installTest) pretend(version string) {
	it.Helper()
	postconf, err := install.FindInstalled()
	it.must(err)
	dir := it.TempDir()
	script := fmt.Sprintf(`#!/bin/sh
for word; do
	case $word in -*[xMPF]*) echo "postconf: invalid option -- $word" >&2; exit 1;; esac
done
case "$*" in *"-dh mail_version") echo %s; exit;; esac
exec %s/postconf "$@"
`, version, postconf.CommandDir)
	it.must(os.WriteFile(filepath.Join(dir, "postconf"), []byte(script), 0o755))
	it.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

func TestVersions(t *testing.T) {
	const line = "scached_protocol_version = "
	t.Run("dialects", func(t *testing.T) {
		it := newInstallTest(t)
		before := it.state()
		for _, step := range []struct{ version, want string }{
			{"3.7.11", "(no such file)"},
			{"3.5.6", line + "2.3"},
			{"2.4.5", line + "2.3"},
			{"2.2.3", line + "2.2"},
			{"2.2-20040720", line + "20040720"},
			{"3.6.0", line + "3.6"},
		} {
			it.pretend(step.version)
			it.must(install.Install(it.options))
			if got := it.get(it.config("scached.cf")); !strings.Contains(got, step.want) || strings.Count(got, line) > 1 {
				it.Errorf("%s: scached.cf: %q, want %q in it", step.version, got, step.want)
			}
			it.must(install.Check(it.options))
			it.must(install.Install(it.options))
			it.told("nothing changed")
		}
		it.must(install.Uninstall(it.options))
		it.unchanged(before)
	})
	t.Run("check says what install would set", func(t *testing.T) {
		it := newInstallTest(t)
		it.pretend("3.5.6")
		it.refused(install.Check(it.options), `scached_protocol_version is 3.6 (default), but Postfix 3.5.6 speaks 2.3, so that no connection would be reused`)
		it.pretend("2.2.4")
		it.refused(install.Check(it.options), "so that mail would stop")
	})
	t.Run("set in main.cf", func(t *testing.T) {
		it := newInstallTest(t)
		it.put(it.config("main.cf"), it.get(it.config("main.cf"))+line+"2.3\n")
		before := it.state()
		it.must(install.Install(it.options))
		if got := it.get(it.config("scached.cf")); !strings.HasSuffix(got, "\n"+line+"3.6\n") {
			it.Errorf("scached.cf: %q", got)
		}
		it.must(install.Uninstall(it.options))
		it.unchanged(before)
	})
	t.Run("set in master.cf", func(t *testing.T) {
		it := newInstallTest(t)
		it.edit(it.config("master.cf"), "max_idle = 3s", line+"2.3")
		before := it.state()
		it.refused(install.Install(it.options), "take the -o away")
		it.unchanged(before)
	})
	t.Run("unknown", func(t *testing.T) {
		it := newInstallTest(t)
		it.pretend("2.1.6")
		before := it.state()
		it.refused(install.Install(it.options), "no connection cache")
		it.unchanged(before)
	})
}

// Who may not change a Postfix is told so before anything else.
func TestNotRoot(t *testing.T) {
	it := newInstallTest(t)
	for _, dir := range []string{it.options.ConfigDir, it.sbin} {
		// A t.TempDir is below a directory that only its owner may enter.
		for ; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
			it.must(os.Chmod(dir, 0o755))
		}
	}
	for _, name := range []string{"main.cf", "master.cf"} {
		it.must(os.Chmod(it.config(name), 0o644))
	}
	before := it.state()
	program := filepath.Join(filepath.Dir(it.options.Daemon), "tests")
	self, err := os.ReadFile("/proc/self/exe")
	it.must(err)
	it.must(os.WriteFile(program, self, 0o755))
	cmd := exec.Command(program, it.options.ConfigDir, it.options.Daemon)
	cmd.Env = append(os.Environ(), asNobody+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	cmd.Dir = "/"
	out, err := cmd.CombinedOutput()
	it.must(err)
	if got, want := string(out), ": permission denied; only root can change a Postfix\n"; !strings.Contains(got, want) {
		it.Errorf("%q, want %q in it", got, want)
	}
	it.unchanged(before)
}

const asNobody = "TEST_INSTALL_AS_NOBODY"

// installAsNobody is what the test binary does in place of tests when it is
// called by TestNotRoot.
func installAsNobody() {
	o := install.Options{ConfigDir: os.Args[1], Daemon: os.Args[2], Out: os.Stdout}
	fmt.Println(install.Install(o))
}
