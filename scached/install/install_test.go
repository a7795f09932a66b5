package install

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const testMasterCF = `# comment
smtp      inet  n       -       y       -       -       smtpd
scache    unix  -       -       y       -       1       scache
# another
anvil     unix  -       -       y       -       1       anvil
`

// An installTest is a configuration of its own to install into.
type installTest struct {
	*testing.T
	options Options
	out     bytes.Buffer
	sbin    string
}

func newInstallTest(t *testing.T) *installTest {
	if _, err := FindInstalled(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("CI: %v", err)
		}
		t.Skipf("NOT TESTED: %v", err)
	}
	it := &installTest{T: t, sbin: t.TempDir()}
	it.options = Options{Daemon: filepath.Join(t.TempDir(), "built"), ConfigDir: t.TempDir(), Out: &it.out}
	it.put(it.options.Daemon, "first daemon")
	it.put(it.config("main.cf"), "daemon_directory = "+it.sbin+"\n")
	it.put(it.config("master.cf"), testMasterCF)
	return it
}

func (it *installTest) config(name string) string { return filepath.Join(it.options.ConfigDir, name) }
func (it *installTest) daemon() string            { return filepath.Join(it.sbin, daemonName) }

func (it *installTest) put(path, text string) {
	it.Helper()
	it.must(os.WriteFile(path, []byte(text), 0o640))
	// Postfix programs read a file until its last change is two seconds ago.
	past := time.Now().Add(-time.Hour)
	it.must(os.Chtimes(path, past, past))
}

func (it *installTest) get(path string) string {
	it.Helper()
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return "(no such file)"
	}
	if err != nil {
		it.Fatal(err)
	}
	return string(data)
}

func (it *installTest) mode(path string, want os.FileMode) {
	it.Helper()
	info, err := os.Stat(path)
	it.must(err)
	if info.Mode() != want {
		it.Errorf("%s: mode %v, want %v", path, info.Mode(), want)
	}
}

func (it *installTest) must(err error) {
	it.Helper()
	if err != nil {
		it.Fatal(err)
	}
}

func (it *installTest) refused(err error, reason string) {
	it.Helper()
	if err == nil || !strings.Contains(err.Error(), reason) {
		it.Errorf("error %v, want %q in it", err, reason)
	}
}

// files returns all that the installation could have touched.
func (it *installTest) files() map[string]string {
	it.Helper()
	files := map[string]string{}
	for _, dir := range []string{it.options.ConfigDir, it.sbin} {
		entries, err := os.ReadDir(dir)
		it.must(err)
		for _, entry := range entries {
			files[filepath.Join(dir, entry.Name())] = it.get(filepath.Join(dir, entry.Name()))
		}
	}
	return files
}

func (it *installTest) unchanged(before map[string]string) {
	it.Helper()
	if diff := cmp.Diff(before, it.files()); diff != "" {
		it.Errorf("files changed (-before +after):\n%s", diff)
	}
}

const switchedLine = "scache     unix  -       -       y       -       1       scached"

func TestInstall(t *testing.T) {
	for _, test := range []struct {
		name string
		run  func(it *installTest)
	}{
		{"there and back", func(it *installTest) {
			before := it.files()
			it.must(Install(it.options))
			want := strings.Replace(testMasterCF, "scache    unix  -       -       y       -       1       scache", switchedLine, 1)
			if diff := cmp.Diff(want, it.get(it.config("master.cf"))); diff != "" {
				it.Errorf("master.cf (-want +got):\n%s", diff)
			}
			if got := it.get(it.daemon()); got != "first daemon" {
				it.Errorf("daemon: %q", got)
			}
			it.mode(it.daemon(), 0o755)
			it.mode(it.config("master.cf"), 0o640)
			for _, told := range []string{it.daemon(), it.config("master.cf"), switchedLine, `"postfix reload"`} {
				if !strings.Contains(it.out.String(), told) {
					it.Errorf("%q not told in:\n%s", told, it.out.String())
				}
			}
			it.must(Uninstall(it.options))
			it.unchanged(before)
			it.mode(it.config("master.cf"), 0o640)
		}},
		{"arguments stay", func(it *installTest) {
			it.put(it.config("master.cf"), strings.Replace(testMasterCF, "1       scache\n", "1       scache\n  -v -o { max_idle = 3s }\n", 1))
			before := it.files()
			it.must(Install(it.options))
			entry, err := postconf{it.options.ConfigDir}.service("scache/unix")
			it.must(err)
			if want := switchedLine + " -v -o max_idle=3s"; entry != want {
				it.Errorf("entry %q, want %q", entry, want)
			}
			it.must(Uninstall(it.options))
			it.unchanged(before)
		}},
		{"dry run", func(it *installTest) {
			it.options.DryRun = true
			before := it.files()
			it.must(Install(it.options))
			it.unchanged(before)
			if !strings.Contains(it.out.String(), "would copy ") || !strings.Contains(it.out.String(), "would change ") {
				it.Errorf("told:\n%s", it.out.String())
			}
			it.options.DryRun = false
			it.must(Install(it.options))
			before = it.files()
			it.options.DryRun = true
			it.must(Uninstall(it.options))
			it.unchanged(before)
		}},
		{"a new daemon replaces the old", func(it *installTest) {
			before := it.files()
			it.must(Install(it.options))
			it.must(Install(it.options))
			if !strings.Contains(it.out.String(), "nothing changed") {
				it.Errorf("told:\n%s", it.out.String())
			}
			it.put(it.options.Daemon, "second daemon")
			it.must(Install(it.options))
			if got := it.get(it.daemon()); got != "second daemon" {
				it.Errorf("daemon: %q", got)
			}
			it.must(Uninstall(it.options))
			it.unchanged(before)
		}},
		{"another entry changed since", func(it *installTest) {
			it.must(Install(it.options))
			it.put(it.config("master.cf"), it.get(it.config("master.cf"))+"extra unix - - n - - smtp\n")
			it.must(Uninstall(it.options))
			want := strings.Replace(testMasterCF, "scache    unix", "scache     unix", 1) + "extra unix - - n - - smtp\n"
			if diff := cmp.Diff(want, it.get(it.config("master.cf"))); diff != "" {
				it.Errorf("master.cf (-want +got):\n%s", diff)
			}
		}},
		{"the entry changed since", func(it *installTest) {
			it.must(Install(it.options))
			it.put(it.config("master.cf"), strings.Replace(it.get(it.config("master.cf")), "scached", "scached -v", 1))
			before := it.files()
			it.refused(Uninstall(it.options), switchedLine+" -v")
			it.put(it.options.Daemon, "second daemon")
			it.refused(Install(it.options), switchedLine+" -v")
			it.unchanged(before)
		}},
		{"the daemon changed since", func(it *installTest) {
			it.must(Install(it.options))
			it.put(it.daemon(), "somebody else's")
			it.put(it.options.Daemon, "second daemon")
			it.refused(Install(it.options), "changed by somebody else")
			it.must(Uninstall(it.options))
			if got := it.get(it.daemon()); got != "somebody else's" {
				it.Errorf("daemon: %q", got)
			}
			if got := it.get(it.config("master.cf")); got != testMasterCF {
				it.Errorf("master.cf: %q", got)
			}
		}},
		{"a file in the daemon's place", func(it *installTest) {
			it.put(it.daemon(), "somebody else's")
			before := it.files()
			it.refused(Install(it.options), "not put there by this command")
			it.unchanged(before)
		}},
		{"another program in master.cf", func(it *installTest) {
			it.put(it.config("master.cf"), strings.Replace(testMasterCF, "1       scache", "1       other", 1))
			before := it.files()
			it.refused(Install(it.options), "does not run scache")
			it.unchanged(before)
		}},
		{"no scache service", func(it *installTest) {
			it.put(it.config("master.cf"), strings.Replace(testMasterCF, "scache    unix", "# scache  unix", 1))
			before := it.files()
			it.refused(Install(it.options), "not exactly one service")
			it.unchanged(before)
		}},
		{"no daemon to install", func(it *installTest) {
			it.must(os.Remove(it.options.Daemon))
			before := it.files()
			it.refused(Install(it.options), "no such file")
			it.unchanged(before)
		}},
		{"nothing installed", func(it *installTest) {
			before := it.files()
			it.refused(Uninstall(it.options), "not installed")
			it.unchanged(before)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(newInstallTest(t))
		})
	}
}
