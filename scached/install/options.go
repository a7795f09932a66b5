package install

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Options say what to work on.
type Options struct {
	// Daemon is the daemon to install or to check; empty for the one that is in
	// daemon_directory already, as a package of the system puts it there.
	// Uninstall does not look at it.
	Daemon string
	// ConfigDir is Postfix's configuration directory; empty for $MAIL_CONFIG, which
	// postmulti(1) sets, and without that for the system's.
	ConfigDir string
	DryRun    bool      // say what would be done, and do nothing
	Out       io.Writer // where every change is told
}

// The program of the service, before and after.
const (
	referenceName = "scache"
	daemonName    = "scached"
)

// An instance is one Postfix instance that is worked on.
type instance struct {
	Options
	postconf postconf
	version  string // mail_version
	masterCF string // path, symbolic links resolved
	service  string // connection_cache_service_name
	text     []byte // of master.cf
	entry    *entry // of the service
	target   string // where the daemon belongs
	record   *record
}

// open finds an instance, and changes nothing.
func open(o Options) (*instance, error) {
	program, err := findPostconf()
	if err != nil {
		return nil, err
	}
	if o.ConfigDir == "" {
		o.ConfigDir = os.Getenv("MAIL_CONFIG")
	}
	in := &instance{Options: o, postconf: postconf{program: program, config: o.ConfigDir}}
	if in.ConfigDir == "" {
		if in.ConfigDir, err = in.postconf.builtIn("config_directory"); err != nil {
			return nil, err
		}
		in.postconf.config = in.ConfigDir
	}
	if in.ConfigDir, err = filepath.Abs(in.ConfigDir); err != nil {
		return nil, err
	}
	if in.version, err = in.postconf.builtIn("mail_version"); err != nil {
		return nil, err
	}
	daemonDir, err := in.postconf.value("daemon_directory")
	if err != nil {
		return nil, err
	}
	in.target = filepath.Join(daemonDir, daemonName)
	if in.service, err = in.postconf.value("connection_cache_service_name"); err != nil || in.service == "" {
		in.service = referenceName // the snapshot 20040720 has no such parameter
	}
	if err := in.readMasterCF(); err != nil {
		return nil, err
	}
	in.record, err = readRecord(in.target)
	return in, err
}

func (in *instance) readMasterCF() (err error) {
	if in.masterCF, err = filepath.EvalSymlinks(filepath.Join(in.ConfigDir, "master.cf")); err != nil {
		return err
	}
	if in.text, err = os.ReadFile(in.masterCF); err != nil {
		return err
	}
	if in.entry, err = findService(in.text, in.service, "unix"); err != nil {
		return fmt.Errorf("%s: %w", in.masterCF, err)
	}
	return nil
}

// source is the daemon that is to be installed or checked.
func (in *instance) source() string {
	if in.Daemon == "" {
		return in.target
	}
	return in.Daemon
}

// inPlace tells whether the daemon is where it belongs already.
func (in *instance) inPlace() bool {
	offered, err := os.Stat(in.source())
	installed, targetErr := os.Stat(in.target)
	return errors.Join(err, targetErr) == nil && os.SameFile(offered, installed)
}

// say tells of a change that is about to be made, and returns whether to make it.
func (in *instance) say(format string, args ...any) bool {
	if in.DryRun {
		format = "would " + format
	}
	fmt.Fprintf(in.Out, format+"\n", args...)
	return !in.DryRun
}

// setCommand makes another program the service's.
func (in *instance) setCommand(name string) error {
	if !in.say("change the command of service %s in %s from %s to %s", in.service, in.masterCF, in.entry.command(), name) {
		return nil
	}
	return replaceText(in.masterCF, in.text, in.entry.withCommand(in.text, name))
}

func (in *instance) remind() {
	if !in.DryRun {
		fmt.Fprintln(in.Out, `now run "postfix reload", if Postfix is running`)
	}
}
