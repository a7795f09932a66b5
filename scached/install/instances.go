package install

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// users returns the configuration directories of the other instances whose
// connection cache the daemon is: those of the record, and those that the
// system's Postfix knows of.
func (in *instance) users() (dirs []string) {
	candidates := append(slices.Clone(in.record.Instances), in.known()...)
	slices.Sort(candidates)
	for _, dir := range slices.Compact(candidates) {
		if dir != in.ConfigDir && runs(dir, daemonName) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// known returns the directories that the system's main.cf names, in the ways of
// today (postmulti(1)) and before 2.6.
func (in *instance) known() (dirs []string) {
	system := postconf{program: in.postconf.program}
	for _, name := range []string{"config_directory", "multi_instance_directories", "alternate_config_directories"} {
		// Where there is no such parameter there are no such directories.
		if text, err := system.value(name); err == nil {
			dirs = append(dirs, strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(" ,\t\r\n", c) })...)
		}
	}
	return dirs
}

// runs tells whether some service of an instance runs a program.
func runs(configDir, program string) bool {
	text, err := os.ReadFile(filepath.Join(configDir, "master.cf"))
	if err != nil {
		return false
	}
	for _, line := range logicalLines(text) {
		if e := parseEntry(line); len(e.words) > commandField && e.command() == program {
			return true
		}
	}
	return false
}
