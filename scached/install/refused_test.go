package install_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"scache/scached/install"
)

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
