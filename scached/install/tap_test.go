package install_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"scache/compat/testbed"
	"scache/scached/install"
)

func (it *installTest) tapOptions() install.TapOptions {
	o := install.TapOptions{Options: it.options}
	o.Daemon = testbed.Scachetap(it)
	return o
}

// listen leaves a socket behind.
func (it *installTest) listen(path string) {
	it.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	it.must(err)
	defer unix.Close(fd)
	it.must(unix.Bind(fd, &unix.SockaddrUnix{Name: path}))
}

// TestTap installs the tap in front of the reference and of ours, changes something
// else, and takes it out again.
func TestTap(t *testing.T) {
	for _, ours := range []bool{false, true} {
		it := newInstallTest(t)
		if ours {
			it.must(install.Install(it.options))
		}
		queue := t.TempDir()
		it.must(os.Mkdir(filepath.Join(queue, "private"), 0o700))
		it.edit(it.config("main.cf"), "libexec =", "queue_directory = "+queue+"\nlibexec =")
		before := it.state()
		o := it.tapOptions()
		recording := filepath.Join(t.TempDir(), "recording")
		o.Recording, o.Plain = recording, true
		o.DryRun = true
		it.must(install.TapInstall(o))
		if diff := cmp.Diff(before, it.state()); diff != "" {
			t.Errorf("a dry run changes something:\n%s", diff)
		}
		o.DryRun = false
		it.must(install.TapInstall(o))
		it.told(`now run "postfix reload"`)
		command := map[bool]string{false: "scache", true: "scached"}[ours]
		want := strings.Replace(masterCF, "scache    unix  -       -       y       -       1       scache\n",
			"# The next entry was added by scachectl tap install, which renamed the one after it.\n"+
				"scache\tunix\t-\t-\tn\t-\t1\tscachetap\n"+
				"scache-tapped    unix  -       -       y       -       1       "+command+"\n", 1)
		if diff := cmp.Diff(want, it.get(it.config("master.cf"))); diff != "" {
			t.Errorf("master.cf (-want +got):\n%s", diff)
		}
		if text := it.get(it.config("scachetap.cf")); !strings.Contains(text, "scachetap_recording = "+recording+"\n") || !strings.Contains(text, "scachetap_plain = yes\n") {
			t.Errorf("scachetap.cf:\n%s", text)
		}

		it.refused(install.TapInstall(o), "already")
		it.refused(install.Install(it.options), `"scachectl tap remove" takes it out`)
		it.refused(install.Check(it.options), `"scachectl tap remove" takes it out`)

		it.edit(it.config("master.cf"), "max_idle = 3s", "max_idle = 4s")
		it.must(os.WriteFile(recording+".key", nil, 0o600))
		socket := filepath.Join(queue, "private", "scache-tapped") // as master(8) leaves it
		it.listen(socket)
		it.out.Reset()
		told, err := install.TapRemove(it.options)
		it.must(err)
		if told != recording {
			t.Errorf("the recording is said to be %s", told)
		}
		it.edit(it.config("master.cf"), "max_idle = 4s", "max_idle = 3s")
		if diff := cmp.Diff(before, it.state()); diff != "" {
			t.Errorf("left behind (-before +after):\n%s", diff)
		}
		if _, err := os.Stat(recording + ".key"); !os.IsNotExist(err) {
			t.Errorf("the key is still there: %v", err)
		}
		if _, err := os.Lstat(socket); !os.IsNotExist(err) {
			t.Errorf("the socket is still there: %v", err)
		}
		_, err = install.TapRemove(it.options)
		it.refused(err, "no tap is installed")
	}
}

func TestTapIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(it *installTest, o *install.TapOptions)
		reason  string
	}{
		"another program": {func(it *installTest, o *install.TapOptions) { o.Daemon = it.options.Daemon }, "is not scachetap"},
		"another service": {func(it *installTest, o *install.TapOptions) {
			it.edit(it.config("master.cf"), "1       scache\n", "1       other\n")
		}, "does not run scache"},
		"a taken name": {func(it *installTest, o *install.TapOptions) {
			it.put(it.config("master.cf"), masterCF+"scache-tapped unix - - y - 1 scache\n")
		}, "already"},
		"a wrong setting": {func(it *installTest, o *install.TapOptions) {
			it.edit(it.config("main.cf"), "libexec =", "scachetap_files = many\nlibexec =")
		}, "bad numerical configuration"},
		"a file of others": {func(it *installTest, o *install.TapOptions) {
			it.put(filepath.Join(it.sbin, "scachetap"), "something else")
		}, "scachetap"},
	} {
		t.Run(name, func(t *testing.T) {
			it := newInstallTest(t)
			o := it.tapOptions()
			test.prepare(it, &o)
			before := it.state()
			it.refused(install.TapInstall(o), test.reason)
			if diff := cmp.Diff(before, it.state()); diff != "" {
				t.Errorf("something was changed:\n%s", diff)
			}
		})
	}
}
