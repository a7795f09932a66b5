package mail

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scache/compat/master"
	"scache/compat/postfix"
	"scache/compat/testbed"
	"scache/scached/install"
)

// copyOfSystem copies the system's Postfix, as far as install changes it, and
// makes the copy what postconf(1) calls the system's.
func copyOfSystem(t *testing.T) (configDir string) {
	t.Helper()
	testbed.Reference(t)
	own, err := install.FindInstalled()
	if err != nil {
		t.Fatal(err)
	}
	top, err := master.TempDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(top) })
	sbin, configDir := filepath.Join(top, "sbin"), filepath.Join(top, "etc")
	for from, to := range map[string]string{own.DaemonDir: sbin, own.ConfigDir: configDir} {
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	main, err := os.OpenFile(filepath.Join(configDir, "main.cf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer main.Close()
	fmt.Fprintf(main, "\ndaemon_directory = %s\n", sbin)
	bin := filepath.Join(top, "bin")
	script := fmt.Sprintf("#!/bin/sh\n%s/postconf \"$@\" | sed 's|^%s$|%s|; s|^%s$|%s|'\n",
		own.CommandDir, own.DaemonDir, sbin, own.ConfigDir, configDir)
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bin, "postconf"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	return configDir
}

// Where the system's Postfix has scached, a private one can still be built, with
// scached and with the reference; and then the system's is as it was.
func TestRunAfterInstall(t *testing.T) {
	configDir := copyOfSystem(t)
	masterCF := filepath.Join(configDir, "master.cf")
	before, err := os.ReadFile(masterCF)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	o := install.Options{Daemon: testbed.Scached(t), Out: &out}
	for _, do := range []func() error{
		func() error { return install.Install(o) },
		func() error {
			return Run(t.Context(), RunOptions{Scached: o.Daemon, Messages: 20, Senders: 2, Out: &out})
		},
		func() error { return install.Uninstall(o) },
	} {
		if err := do(); err != nil {
			t.Fatalf("%v\n%s", err, out.String())
		}
	}
	if strings.Count(out.String(), masterCF) != 2 || strings.Count(out.String(), " 20 ") < 2 {
		t.Errorf("printed:\n%s", out.String())
	}
	after, err := os.ReadFile(masterCF)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(before), string(after)); diff != "" {
		t.Errorf("master.cf (-before +after):\n%s", diff)
	}
}

// A Postfix that runs gets scached, and goes back, while its administrator edits
// the entry in master.cf.
func TestInstallIntoRunning(t *testing.T) {
	t.Parallel()
	testbed.Reference(t)
	sink, err := StartSink(SinkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	p, err := postfix.Start(t.Context(), postfix.Options{Main: []string{
		"smtp_connection_cache_on_demand = no",
		"smtp_connection_cache_destinations = static:all",
		"relayhost = " + sink.NextHop(),
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var out bytes.Buffer
	o := install.Options{Daemon: testbed.Scached(t), ConfigDir: p.ConfigDir(), Out: &out}
	sent := 0
	reusedBy := func(program string) {
		t.Helper()
		mark, reused := len(p.Log.Lines()), p.Tally().Reused
		if err := Inject(t.Context(), p.SMTPD, Injection{First: sent, Messages: 10, Senders: 1}); err != nil {
			t.Fatal(err)
		}
		sent += 10
		if err := sink.Wait(sent, deliveryPatience); err != nil {
			t.Fatal(err)
		}
		if err := p.Reload(t.Context()); err != nil { // which makes the cache log its statistics
			t.Fatal(err)
		}
		if !master.WaitUntil(patience, func() bool {
			for _, line := range p.Log.Lines()[mark:] {
				if strings.HasSuffix(line.Tag, "/"+program) && strings.HasPrefix(line.Text, "statistics: domain lookup hits=") {
					return p.Tally().Reused > reused
				}
			}
			return false
		}) {
			t.Fatalf("nothing was reused by way of %s; the log ends:\n%s", program, p.Log.Tail(mark, 50))
		}
	}
	change := func(what string, do func() error) {
		t.Helper()
		if err := do(); err != nil {
			t.Fatalf("%s: %v\n%s", what, err, out.String())
		}
		if err := p.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	change("install", func() error { return install.Install(o) })
	change("edit", func() error { return edit(p.ConfigDir()+"/master.cf", " scached\n", " scached -v -o max_idle=50s\n") })
	reusedBy("scached")
	change("uninstall", func() error { return install.Uninstall(o) })
	change("edit", func() error { return edit(p.ConfigDir()+"/master.cf", " scache -v -o max_idle=50s\n", " scache\n") })
	reusedBy("scache")
}

// edit replaces a text that is in a file once.
func edit(path, from, to string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if bytes.Count(text, []byte(from)) != 1 {
		return fmt.Errorf("%q is not in %s once", from, path)
	}
	return master.WriteSettled(path, strings.Replace(string(text), from, to, 1))
}
