package install

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"scache/scached/tap"
)

// TapOptions say how to record.
type TapOptions struct {
	Options          // of which Daemon is the tap's program
	Recording string // path of the file; empty for the default
	SizeLimit int    // bytes of one file; 0 for the default
	Files     int    // how many are kept; 0 for the default
	Plain     bool   // names and addresses as they are
}

// tapMarker is the comment above the entry that TapInstall adds to master.cf.
const tapMarker = "# The next entry was added by scachectl tap install, which renamed the one after it.\n"

// TapInstall puts the tap in front of the connection cache of an instance, whatever
// program that is: the service is renamed, with everything that its entry says, and
// an entry for the tap gets its name. It sets the tap's parameters in a file of its
// own and does not reload Postfix. Nothing is changed unless all of it can be.
func TapInstall(o TapOptions) error {
	in, err := openTap(o.Options)
	if err != nil {
		return err
	}
	if in.tapped() {
		return fmt.Errorf("service %s in %s runs %s already", in.service, in.masterCF, tap.Program)
	}
	behind := in.service + tap.Suffix
	if _, err := findService(in.text, behind, "unix"); err == nil {
		return fmt.Errorf("%s has a service %s already", in.masterCF, behind)
	}
	if err := errors.Join(in.checkRights(), in.checkTap()); err != nil {
		return err
	}
	copied, err := in.copyTap()
	if err != nil {
		return err
	}
	if err := in.writeTapFile(o, copied); err != nil {
		return err
	}
	if in.say("put %s in front of service %s in %s, which becomes %s", tap.Program, in.service, in.masterCF, behind) {
		if err := replaceText(in.masterCF, in.text, in.withTap()); err != nil {
			return err
		}
	}
	in.remind()
	return nil
}

// TapRemove takes the tap out again: the entry, the file with its parameters, the
// program, the socket of the service that was renamed, and the key of the recording,
// without which nobody can say any more what its hashes stand for. The recording
// stays. It returns where that is. Until Postfix is reloaded the tap, if it still
// runs, has no server for new clients, which go on as without a cache.
func TapRemove(o Options) (recording string, err error) {
	in, err := openTap(o)
	if err != nil {
		return "", err
	}
	if !in.tapped() {
		return "", fmt.Errorf("no tap is installed: service %s in %s runs %s", in.service, in.masterCF, in.entry.command())
	}
	restored, err := in.withoutTap()
	if err != nil {
		return "", err
	}
	if err := in.checkRights(); err != nil {
		return "", err
	}
	recording = in.tapRecording()
	leftovers := []string{in.tapFile(), recording + tap.KeySuffix}
	if socket, err := in.tapSocket(); err != nil {
		return "", err
	} else if isSocket(socket) {
		leftovers = append(leftovers, socket)
	}
	if in.tapCopied() {
		leftovers = append(leftovers, in.target)
	}
	if in.say("take %s out of %s, where %s becomes %s again", tap.Program, in.masterCF, in.service+tap.Suffix, in.service) {
		if err := replaceText(in.masterCF, in.text, restored); err != nil {
			return "", err
		}
	}
	for _, path := range leftovers {
		if !exists(path) || !in.say("remove %s", path) {
			continue
		}
		if err := os.Remove(path); err != nil {
			return "", err
		}
	}
	in.remind()
	return recording, nil
}

// openTap finds an instance, with the tap as the program to put into place.
func openTap(o Options) (*instance, error) {
	in, err := open(o)
	if err != nil {
		return nil, err
	}
	in.target = filepath.Join(filepath.Dir(in.target), tap.Program)
	return in, nil
}

func (in *instance) tapped() bool { return in.entry.command() == tap.Program }

// checkTap makes sure that the service is one to be tapped, and that the program is
// the tap and runs here.
func (in *instance) checkTap() error {
	if err := in.checkCommand(); err != nil {
		return err
	}
	if err := checkProgram(in.source(), tapPath); err != nil {
		return err
	}
	if exists(in.target) {
		if err := checkProgram(in.target, tapPath); err != nil {
			return err
		}
	}
	if exists(in.tapFile()) {
		return fmt.Errorf("%s is there already, but no tap is installed", in.tapFile())
	}
	return try(in.source(), in.ConfigDir, false, nil)
}

// tapFile is the file with the tap's parameters.
func (in *instance) tapFile() string { return filepath.Join(in.ConfigDir, tap.File) }

// copiedMarker says in that file that the program is there because of TapInstall.
const copiedMarker = "# It has put the program there as well.\n"

// tapCopied tells whether the program is for TapRemove to remove: TapInstall has put
// it there, and no other instance uses it.
func (in *instance) tapCopied() bool {
	text, err := os.ReadFile(in.tapFile())
	return err == nil && bytes.Contains(text, []byte(copiedMarker)) && checkProgram(in.target, tapPath) == nil &&
		!slices.ContainsFunc(in.known(), func(dir string) bool { return dir != in.ConfigDir && runs(dir, tap.Program) })
}

// copyTap copies the tap to where master(8) looks for it. One that is there already
// stays, since a package of the system or another instance may have put it there.
func (in *instance) copyTap() (copied bool, err error) {
	if exists(in.target) {
		return false, nil
	}
	if !in.say("copy %s to %s", in.Daemon, in.target) {
		return true, nil
	}
	data, err := os.ReadFile(in.Daemon)
	if err != nil {
		return false, err
	}
	return true, writeAtomic(in.target, data, 0o755, filepath.Join(filepath.Dir(in.target), referenceName))
}

// writeTapFile sets the parameters that are asked for.
func (in *instance) writeTapFile(o TapOptions, copied bool) error {
	var b strings.Builder
	b.WriteString("# Written by scachectl tap install.\n")
	if copied {
		b.WriteString(copiedMarker)
	}
	set := func(given bool, name string, value any) {
		if given {
			fmt.Fprintf(&b, "%s = %v\n", name, value)
		}
	}
	set(o.Recording != "", "scachetap_recording", o.Recording)
	set(o.SizeLimit > 0, "scachetap_size_limit", o.SizeLimit)
	set(o.Files > 0, "scachetap_files", o.Files)
	set(o.Plain, "scachetap_plain", "yes")
	if !in.say("write %s", in.tapFile()) {
		return nil
	}
	return writeAtomic(in.tapFile(), []byte(b.String()), 0o644, in.masterCF)
}

// withTap is the text of master.cf with a tap.
func (in *instance) withTap() []byte {
	e := in.entry
	entry := fmt.Sprintf("%s%s\tunix\t%s\t%s\tn\t%s\t1\t%s\n", tapMarker, in.service, e.words[2], e.words[3], e.words[5], tap.Program)
	name := e.begin + len(e.words[0])
	return bytes.Join([][]byte{in.text[:e.begin], []byte(entry), in.text[e.begin:name], []byte(tap.Suffix), in.text[name:]}, nil)
}

// withoutTap is the text of master.cf as it was before withTap, whatever else was
// changed there since.
func (in *instance) withoutTap() ([]byte, error) {
	behind, err := findService(in.text, in.service+tap.Suffix, "unix")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", in.masterCF, err)
	}
	end := behind.begin + len(behind.words[0])
	text := bytes.Join([][]byte{in.text[:end-len(tap.Suffix)], in.text[end:]}, nil)
	// Ours and the one that was renamed have the same name again.
	services := findServices(text, in.service, "unix")
	i := slices.IndexFunc(services, func(e *entry) bool { return len(e.words) > commandField && e.command() == tap.Program })
	if i < 0 {
		return nil, fmt.Errorf("%s: no service %s that runs %s", in.masterCF, in.service, tap.Program)
	}
	e := services[i]
	begin := e.begin
	if bytes.HasSuffix(text[:begin], []byte(tapMarker)) {
		begin -= len(tapMarker)
	}
	return append(bytes.Clone(text[:begin]), text[e.end:]...), nil
}

// tapRecording is where the tap records.
func (in *instance) tapRecording() string {
	dir, err := in.postconf.value("data_directory")
	if err != nil {
		dir = "/var/lib/postfix"
	}
	text, err := os.ReadFile(in.tapFile())
	if err == nil {
		for _, line := range logicalLines(text) {
			if name, value, _ := bytes.Cut(line.text, []byte("=")); string(bytes.TrimSpace(name)) == "scachetap_recording" {
				return string(bytes.TrimSpace(value))
			}
		}
	}
	return strings.ReplaceAll(tap.DefaultRecording, "${data_directory}", dir)
}

// tapSocket is where the service behind the tap is reached. master(8) makes it and
// leaves it there when the service is gone.
func (in *instance) tapSocket() (string, error) {
	queue, err := in.postconf.value("queue_directory")
	if err != nil {
		return "", err
	}
	return filepath.Join(queue, "private", in.service+tap.Suffix), nil
}

func isSocket(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().Type() == fs.ModeSocket
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
