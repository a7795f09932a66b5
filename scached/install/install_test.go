package install_test

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"scache/compat/testbed"
	"scache/scached/install"
)

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
		{"a daemon by its relative path", func(it *installTest) {
			dir, name := filepath.Split(it.options.Daemon)
			it.Chdir(dir)
			it.options.Daemon = name
			it.must(install.Install(it.options))
			it.masterIs("1       scache", "1       scached")
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
