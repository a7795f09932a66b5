package install

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Options say what [Install] and [Uninstall] work on.
type Options struct {
	Daemon    string    // the daemon to install; Uninstall does not look at it
	ConfigDir string    // Postfix's configuration directory; empty for the system's
	DryRun    bool      // say what would be done, and do nothing
	Out       io.Writer // where every change is told
}

// The scache service's program, before and after.
const (
	referenceName = "scache"
	daemonName    = "scached"
)

// An installation is one run of Install or Uninstall.
type installation struct {
	Options
	postconf   postconf
	masterCF   string // path, symbolic links resolved
	target     string // where the daemon goes
	recordPath string
	record     *installRecord // nil when nothing is installed
}

// Install copies the daemon into daemon_directory and makes it the program of
// the scache service in master.cf. What it did is written to a record in the
// configuration directory, for [Uninstall]. A second run replaces the daemon.
// It does not reload Postfix.
//
// Nothing is changed when the service is not as Postfix brings it, or when
// there is a file in the daemon's place that Install did not put there.
func Install(o Options) error {
	in, err := openInstallation(o)
	if err != nil {
		return err
	}
	if in.record == nil {
		return in.first()
	}
	return in.again()
}

// Uninstall takes back what [Install] did and nothing else. If master.cf was
// not changed since, it is restored byte for byte; else only the service's
// entry is. It changes nothing when that entry is not the one that Install
// wrote.
func Uninstall(o Options) error {
	in, err := openInstallation(o)
	if err != nil {
		return err
	}
	if in.record == nil {
		return fmt.Errorf("not installed: there is no %s", in.recordPath)
	}
	return in.undo()
}

func openInstallation(o Options) (*installation, error) {
	own, err := FindInstalled()
	if err != nil {
		return nil, err
	}
	if o.ConfigDir == "" {
		o.ConfigDir = own.ConfigDir
	}
	in := &installation{Options: o, postconf: postconf{config: o.ConfigDir}}
	daemonDir, err := in.postconf.parameter("daemon_directory")
	if err != nil {
		return nil, err
	}
	if in.masterCF, err = filepath.EvalSymlinks(filepath.Join(o.ConfigDir, "master.cf")); err != nil {
		return nil, err
	}
	in.target = filepath.Join(daemonDir, daemonName)
	in.recordPath = filepath.Join(o.ConfigDir, "scached.installed")
	in.record, err = readRecord(in.recordPath)
	return in, err
}

// say tells of a change that is about to be made, and returns whether to make it.
func (in *installation) say(format string, args ...any) bool {
	if in.DryRun {
		format = "would " + format
	}
	fmt.Fprintf(in.Out, format+"\n", args...)
	return !in.DryRun
}

func (in *installation) first() (err error) {
	before, err := in.postconf.service("scache/unix")
	if err != nil {
		return err
	}
	fields := strings.Fields(before)
	if len(fields) <= commandField || fields[commandField] != referenceName {
		return fmt.Errorf("the scache service in %s does not run %s: %s", in.masterCF, referenceName, before)
	}
	if _, err := os.Lstat(in.target); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there already, and was not put there by this command", in.target)
	}
	after := replaceCommand(before, daemonName)

	if in.say("copy %s to %s", in.Daemon, in.target) {
		if err := replaceProgram(in.Daemon, in.target); err != nil {
			return err
		}
		defer func() {
			if err != nil {
				os.Remove(in.target)
				os.Remove(in.recordPath)
			}
		}()
	}
	if in.say("change the scache service in %s\n  from %s\n  to   %s", in.masterCF, before, after) {
		if err := in.switchService(before, after); err != nil {
			return err
		}
	}
	in.remind()
	return nil
}

// commandField is where a master.cf entry names its program.
const commandField = 7

// replaceCommand returns an entry with another program and the same arguments.
func replaceCommand(entry, program string) string {
	rest := entry
	for range commandField {
		rest = strings.TrimLeft(rest, " ")
		rest = rest[strings.IndexByte(rest, ' '):]
	}
	rest = strings.TrimLeft(rest, " ")
	end := strings.IndexByte(rest+" ", ' ')
	return strings.TrimSuffix(entry, rest) + program + rest[end:]
}

// switchService changes master.cf and writes the record. The record comes
// first, so that a change is never without one.
func (in *installation) switchService(before, after string) error {
	original, err := os.ReadFile(in.masterCF)
	if err != nil {
		return err
	}
	sum, err := fileSum(in.target)
	if err != nil {
		return err
	}
	in.record = &installRecord{Daemon: in.target, DaemonSum: sum, Before: before, After: after, MasterCF: original}
	if err := in.record.write(in.recordPath); err != nil {
		return err
	}
	if err := in.postconf.setService("scache/unix", after); err != nil {
		return err
	}
	// As it reads from now on, whatever the editing did to it.
	if in.record.After, err = in.postconf.service("scache/unix"); err != nil {
		return err
	}
	if in.record.MasterCFSum, err = fileSum(in.masterCF); err != nil {
		return err
	}
	return in.record.write(in.recordPath)
}

// again replaces the daemon that an earlier run installed.
func (in *installation) again() error {
	if err := in.checkService(); err != nil {
		return err
	}
	installed, err := fileSum(in.target)
	if err != nil {
		return err
	}
	if installed != in.record.DaemonSum {
		return fmt.Errorf("%s was changed by somebody else since it was installed", in.target)
	}
	offered, err := fileSum(in.Daemon)
	if err != nil {
		return err
	}
	if offered == installed {
		fmt.Fprintf(in.Out, "%s is installed already; nothing changed\n", in.target)
		return nil
	}
	if !in.say("replace %s by %s", in.target, in.Daemon) {
		return nil
	}
	in.record.DaemonSum = offered
	if err := in.record.write(in.recordPath); err != nil {
		return err
	}
	if err := replaceProgram(in.Daemon, in.target); err != nil {
		return err
	}
	in.remind()
	return nil
}

// checkService makes sure that the service's entry is as Install left it.
func (in *installation) checkService() error {
	found, err := in.postconf.service("scache/unix")
	if err != nil {
		return err
	}
	if found != in.record.After {
		return fmt.Errorf("the scache service in %s was changed since the installation\n  found     %s\n  installed %s", in.masterCF, found, in.record.After)
	}
	return nil
}

func (in *installation) undo() error {
	if err := in.checkService(); err != nil {
		return err
	}
	if in.say("change the scache service in %s\n  from %s\n  to   %s", in.masterCF, in.record.After, in.record.Before) {
		if err := in.restoreService(); err != nil {
			return err
		}
	}
	if err := in.removeDaemon(); err != nil {
		return err
	}
	if !in.DryRun {
		if err := os.Remove(in.recordPath); err != nil {
			return err
		}
	}
	in.remind()
	return nil
}

func (in *installation) restoreService() error {
	sum, err := fileSum(in.masterCF)
	if err != nil {
		return err
	}
	if sum == in.record.MasterCFSum {
		return replaceText(in.masterCF, in.record.MasterCF)
	}
	return in.postconf.setService("scache/unix", in.record.Before)
}

// removeDaemon removes the daemon, unless it is no longer the one installed.
func (in *installation) removeDaemon() error {
	sum, err := fileSum(in.target)
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(in.Out, "%s is gone already\n", in.target)
		return nil
	}
	if err != nil {
		return err
	}
	if sum != in.record.DaemonSum {
		fmt.Fprintf(in.Out, "leave %s: it is not the file that was installed\n", in.target)
		return nil
	}
	if in.say("remove %s", in.target) {
		return os.Remove(in.target)
	}
	return nil
}

func (in *installation) remind() {
	if !in.DryRun {
		fmt.Fprintln(in.Out, `now run "postfix reload", if Postfix is running`)
	}
}
