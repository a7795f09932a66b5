package install

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"scache/scached/daemon"
)

// Install copies the daemon into daemon_directory, makes it the program of the
// scache service in master.cf, and sets the dialect that this Postfix speaks. It
// may be run again at any time, for a new daemon or after Postfix has got another
// version: it changes what has to be changed, and nothing else. It does not
// reload Postfix.
//
// Before anything is changed it makes sure that all of it can be: that the
// process has the right to, that the daemon is one, that it runs here with the
// configuration as it is, that the service is the connection cache, and that in
// the daemon's place there is nothing that somebody else has put there.
func Install(o Options) error {
	in, err := open(o)
	if err != nil {
		return err
	}
	if err := errors.Join(in.checkRights(), in.checkTarget()); err != nil {
		return err
	}
	found := in.look()
	if err := errors.Join(found.problems...); err != nil {
		return err
	}
	if found.spoken != found.dialect && found.spokenSource == daemon.FromCommandLine {
		return fmt.Errorf("service %s in %s sets %s to %s, but Postfix %s speaks %s; take the -o away",
			in.service, in.masterCF, dialectParameter, found.spoken, in.version, found.dialect)
	}
	found.warn(in)
	changed, err := in.apply(found)
	if err == nil && !changed {
		fmt.Fprintf(in.Out, "%s is installed already; nothing changed\n", in.target)
	} else if err == nil {
		in.remind()
	}
	return err
}

// apply makes the changes, the one that matters last.
func (in *instance) apply(found *findings) (changed bool, err error) {
	copied, err := in.placeDaemon()
	if err != nil {
		return true, err
	}
	set, err := in.setDialect(found)
	if err != nil {
		return true, err
	}
	switched := in.entry.command() != daemonName
	if switched {
		err = in.setCommand(daemonName)
	}
	if !in.record.has(in.ConfigDir) && !in.DryRun && err == nil {
		in.record.add(in.ConfigDir)
		err = in.record.write()
	}
	return copied || set || switched, err
}

// placeDaemon copies the daemon to where master(8) looks for it.
func (in *instance) placeDaemon() (copied bool, err error) {
	if in.inPlace() {
		return false, nil
	}
	offered, err := fileSum(in.Daemon)
	if err != nil {
		return false, err
	}
	installed, err := fileSum(in.target)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if offered == installed {
		return false, nil
	}
	if !in.say("copy %s to %s", in.Daemon, in.target) {
		return true, nil
	}
	// The record comes first, so that the file is never without one.
	in.record.Sum = offered
	in.record.add(in.ConfigDir)
	if err := in.record.write(); err != nil {
		return true, err
	}
	data, err := os.ReadFile(in.Daemon)
	if err != nil {
		return true, err
	}
	return true, writeAtomic(in.target, data, 0o755, filepath.Join(filepath.Dir(in.target), referenceName))
}

// setDialect makes the daemon speak as this Postfix does.
func (in *instance) setDialect(found *findings) (changed bool, err error) {
	if found.spoken == found.dialect {
		return false, nil
	}
	own, err := readOwnFile(in.ConfigDir)
	if err != nil {
		return false, err
	}
	if !in.say("set %s = %s in %s, for Postfix %s", dialectParameter, found.dialect, own.path, in.version) {
		return true, nil
	}
	return true, own.change(setLine(own.text, dialectParameter, found.dialect, "for Postfix "+in.version))
}

// Uninstall takes back what [Install] did for an instance and nothing else: the
// word in master.cf, whatever else was changed there since, the dialect, and the
// daemon, unless another instance uses it or the file is not the one that Install
// has copied.
func Uninstall(o Options) error {
	in, err := open(o)
	if err != nil {
		return err
	}
	if in.entry.command() != daemonName && !in.record.has(in.ConfigDir) {
		return fmt.Errorf("not installed: service %s in %s runs %s", in.service, in.masterCF, in.entry.command())
	}
	if err := in.checkRights(); err != nil {
		return err
	}
	if in.entry.command() == daemonName {
		err = in.setCommand(referenceName)
	} else {
		fmt.Fprintf(in.Out, "leave service %s in %s: it runs %s\n", in.service, in.masterCF, in.entry.command())
	}
	if err := errors.Join(err, in.unsetDialect()); err != nil {
		return err
	}
	if err := in.removeDaemon(); err != nil {
		return err
	}
	in.remind()
	return nil
}

// UninstallAll is [Uninstall] for every instance that uses the daemon, if there is
// one. The options' ConfigDir is not looked at.
func UninstallAll(o Options) error {
	o.ConfigDir = ""
	in, err := open(o)
	if err != nil {
		return err
	}
	dirs := in.users()
	if in.entry.command() == daemonName || in.record.has(in.ConfigDir) {
		dirs = append(dirs, in.ConfigDir)
	}
	for _, dir := range dirs {
		o.ConfigDir = dir
		if err := Uninstall(o); err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
	}
	return nil
}

// unsetDialect takes back what setDialect did.
func (in *instance) unsetDialect() error {
	own, err := readOwnFile(in.ConfigDir)
	if err != nil || !hasMarked(own.text, dialectParameter) {
		return err
	}
	if !in.say("remove %s from %s", dialectParameter, own.path) {
		return nil
	}
	return own.change(dropLines(own.text, dialectParameter))
}

// removeDaemon removes the daemon if it is ours and nobody else's.
func (in *instance) removeDaemon() error {
	sum, err := fileSum(in.target)
	users := in.users()
	in.record.Instances = users
	switch {
	case errors.Is(err, fs.ErrNotExist):
		fmt.Fprintf(in.Out, "%s is gone already\n", in.target)
		in.record.Sum = ""
	case err != nil:
		return err
	case len(users) > 0:
		fmt.Fprintf(in.Out, "leave %s, which is used by %q\n", in.target, users)
	case in.record.Sum == "":
		fmt.Fprintf(in.Out, "leave %s, which was there before\n", in.target)
	case sum != in.record.Sum:
		fmt.Fprintf(in.Out, "leave %s: it is not the file that was installed\n", in.target)
		in.record.Sum = ""
	case in.say("remove %s", in.target):
		in.record.Sum = ""
		if err := os.Remove(in.target); err != nil {
			return err
		}
	}
	if in.DryRun {
		return nil
	}
	return in.record.write()
}
