package install_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
