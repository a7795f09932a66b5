package install

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"scache/scached/daemon"
	"scache/scached/settings"
	"scache/scached/tap"
)

// Check says what it finds of a Postfix, the daemon and its configuration, and
// changes nothing. The error tells everything that would keep the daemon from
// working; what is only worth knowing is printed.
func Check(o Options) error {
	in, err := open(o)
	if err != nil {
		return err
	}
	found := in.look()
	fmt.Fprintf(o.Out, "Postfix %s, configured in %s, speaks dialect %s\n", in.version, in.ConfigDir, found.dialect)
	fmt.Fprintf(o.Out, "service %s in %s runs %s\n", in.service, in.masterCF, in.entry.command())
	if found.runs {
		fmt.Fprintf(o.Out, "%s runs here\n", in.source())
	}
	for _, value := range found.config.Values {
		if value.Source != daemon.FromDefault {
			fmt.Fprintf(o.Out, "%s = %s (%s)\n", value.Name, value.Text, value.Source)
		}
	}
	found.warn(in)
	if found.dialect != "" && found.spoken != "" && found.spoken != found.dialect {
		found.problems = append(found.problems, fmt.Errorf(
			"%s is %s (%s), but Postfix %s speaks %s, so that %s; \"scachectl install\" sets it",
			dialectParameter, found.spoken, found.spokenSource, in.version, found.dialect, misunderstanding(found.dialect)))
	}
	return errors.Join(found.problems...)
}

// misunderstanding says what becomes of mail when the daemon speaks another
// dialect than Postfix.
func misunderstanding(postfix string) string {
	if postfix == "2.2" || postfix == "20040720" {
		return "mail would stop: this version asks again for ever"
	}
	return "no connection would be reused"
}

// findings are what there is to know before anything is changed.
type findings struct {
	runs         bool   // the daemon does, with the configuration as it is
	dialect      string // that this Postfix speaks
	spoken       string // that the daemon would speak
	spokenSource string
	config       *daemon.Configuration
	problems     []error
	differences  []Difference // are the last of the problems
}

func (f *findings) problem(err error) bool {
	if err != nil {
		f.problems = append(f.problems, err)
	}
	return err != nil
}

// look finds out everything that Install and Check want to know.
func (in *instance) look() *findings {
	f := new(findings)
	var set settings.Settings
	f.config = daemon.Examine(in.ConfigDir, append([]string{daemonName}, in.entry.args()...), set.Service())
	for _, err := range f.config.Errors {
		f.problem(err)
	}
	for _, value := range f.config.Values {
		if value.Name == dialectParameter {
			f.spoken, f.spokenSource = value.Text, value.Source
		}
	}
	var err error
	f.dialect, err = DialectOf(in.version)
	f.problem(err)
	f.problem(in.checkCommand())
	if !f.problem(checkProgram(in.source(), daemonPath)) && len(f.config.Errors) == 0 { // of which the daemon would only die
		f.runs = !f.problem(try(in.source(), in.ConfigDir, in.entry.chroot(), in.entry.args()))
	}
	if spaces := set.NameSpaces(); len(spaces) > 0 {
		main, err := in.postconf.all()
		if f.problem(err) {
			return f
		}
		f.differences = differences(transports(in.text), spaces, main)
		for _, difference := range f.differences {
			f.problem(difference)
		}
	}
	return f
}

// checkCommand makes sure that the service is the connection cache.
func (in *instance) checkCommand() error {
	switch in.entry.command() {
	case referenceName, daemonName:
		return nil
	case tap.Program:
		return fmt.Errorf("service %s in %s runs %s, which records; \"scachectl tap remove\" takes it out", in.service, in.masterCF, tap.Program)
	}
	return fmt.Errorf("service %s in %s does not run %s, but %s", in.service, in.masterCF, referenceName, in.entry.command())
}

// checkTarget makes sure that the daemon's place is free, or taken by a file that
// was put there before.
func (in *instance) checkTarget() error {
	sum, err := fileSum(in.target)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !in.inPlace():
		return nil
	case err != nil:
		return err
	case in.inPlace() || sum == in.record.Sum:
		return nil
	case in.record.Sum != "":
		return fmt.Errorf("%s was changed by somebody else since it was installed", in.target)
	}
	return fmt.Errorf("%s is there already, and was not put there by this command; --scached %s uses it", in.target, in.target)
}

// checkRights makes sure that nothing is begun that cannot be finished.
func (in *instance) checkRights() error {
	if in.DryRun {
		return nil
	}
	dirs := []string{filepath.Dir(in.target), in.ConfigDir}
	if dir := filepath.Dir(in.masterCF); dir != in.ConfigDir {
		dirs = append(dirs, dir)
	}
	var problems []error
	for _, dir := range dirs {
		problems = append(problems, mayChange(dir))
	}
	return errors.Join(problems...)
}

// warn tells of what is wrong without being fatal.
func (f *findings) warn(in *instance) {
	for _, warning := range f.config.Warnings {
		fmt.Fprintln(in.Out, "warning:", warning)
	}
	for _, profile := range appArmorProfiles(appArmorDir) {
		fmt.Fprintf(in.Out, "warning: the AppArmor profile %s names %s; %s needs one like it\n", profile, referenceName, daemonName)
	}
}

// appArmorDir is where AppArmor's profiles are.
const appArmorDir = "/etc/apparmor.d"

// appArmorProfiles returns the files that are about the reference's program, but
// not about ours: what confines the one may leave the other without any right, or
// without any limit.
func appArmorProfiles(dir string) (files []string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	ours := regexp.MustCompile(`[/}]` + daemonName + `\b`)
	theirs := regexp.MustCompile(`[/}]` + referenceName + `\b`)
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		text, err := os.ReadFile(path)
		if err == nil && theirs.Match(text) && !ours.Match(text) {
			files = append(files, path)
		}
	}
	return files
}
