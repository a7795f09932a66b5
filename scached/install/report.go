package install

import (
	"path/filepath"
	"strings"

	"scache/scached/daemon"
)

// A Report is what there is to know about an instance, and about the daemon in
// it.
type Report struct {
	ConfigDir, QueueDir string
	Version             string // mail_version
	MasterCF            string // its path
	Service, Command    string // the cache's, in master.cf
	Program             string // the path of the daemon
	Reference           bool   // the service runs scache(8)
	Dialect             string // that this Postfix speaks
	Spoken, SpokenFrom  string // that the daemon speaks, and where that was read
	Config              *daemon.Configuration
	Problems            []error // with the command and the program

	Main        map[string]string // what main.cf sets
	Values      map[string]string // of all parameters of Postfix, references replaced where postconf(1) can
	Transports  []Transport
	Services    []string // names in master.cf
	Differences []Difference
}

// Examine finds out everything about an instance and changes nothing.
func Examine(o Options) (*Report, error) {
	in, err := open(o)
	if err != nil {
		return nil, err
	}
	found := in.look()
	r := &Report{
		ConfigDir: in.ConfigDir, Version: in.version, MasterCF: in.masterCF, Service: in.service, Command: in.entry.command(),
		Program: in.source(), Reference: in.entry.command() == referenceName, Dialect: found.dialect, Spoken: found.spoken,
		SpokenFrom: found.spokenSource, Config: found.config, Transports: transports(in.text), Differences: found.differences,
		Problems: found.problems[len(found.config.Errors) : len(found.problems)-len(found.differences)],
	}
	for _, line := range logicalLines(in.text) {
		r.Services = append(r.Services, parseEntry(line).words[0])
	}
	if r.Main, err = in.postconf.all("-n"); err != nil {
		return nil, err
	}
	if r.Values, err = in.postconf.all("-x"); err != nil { // it came with 2.10
		r.Values, err = in.postconf.all()
	}
	if err != nil {
		return nil, err
	}
	queue, err := in.postconf.value("queue_directory")
	r.QueueDir = queue
	return r, err
}

// Socket is where the cache is reached.
func (r *Report) Socket() string { return filepath.Join(r.QueueDir, "private", r.Service) }

// all returns parameters with their values as they are written.
func (p postconf) all(args ...string) (map[string]string, error) {
	out, err := p.run(args...)
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for line := range strings.Lines(out) {
		if name, value, ok := strings.Cut(line, "="); ok {
			values[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	return values, nil
}
