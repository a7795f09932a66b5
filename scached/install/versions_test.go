package install_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"scache/scached/install"
)

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
