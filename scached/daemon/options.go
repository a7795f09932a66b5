package daemon

import (
	"fmt"
	"strings"
)

// An Assignment is a parameter's value from the command line.
type Assignment struct {
	Name, Value string
}

// Options is what master(8) asks for on the command line, with the meanings
// that src/master/multi_server.c gives to the letters.
type Options struct {
	Chroot       bool         // -c: into queue_directory
	Interactive  bool         // -d: standard input may be a terminal
	Debug        bool         // -D
	Solitary     bool         // -l: the service has a process limit of 1
	Service      string       // -n, or the program's name
	Assignments  []Assignment // -o, -i (max_idle) and -m (max_use), in their order
	Sockets      int          // -s: listening descriptors, 1 or more
	Stream       bool         // -S: one client, on standard input and output
	Transport    string       // -t
	HasTransport bool         // whether -t was given at all
	Unprivileged bool         // -u: as mail_owner
	Verbose      int          // how many -v
	Stderr       bool         // -V: log to standard error, too
	Unlimited    bool         // -z: the service has no process limit
	Args         []string     // what is left over
}

const optionLetters = "cdDi:lm:n:o:s:St:uvVz"

// ParseOptions reads the command line of the named program, without the name
// itself. It stops at the first argument that is no option, or after "--".
//
// An error is the text that the reference dies with; the options up to there
// are returned with it, since they say where that text is to go.
func ParseOptions(program string, args []string) (Options, error) {
	opts := Options{Service: program, Sockets: 1}
	scan := optionScanner{args: args}
	for {
		letter, value, ok := scan.next()
		if !ok {
			opts.Args = scan.args
			return opts, nil
		}
		if scan.invalid {
			return opts, fmt.Errorf("invalid option: %s", string([]byte{letter}))
		}
		if err := opts.set(letter, value); err != nil {
			return opts, err
		}
	}
}

func (o *Options) set(letter byte, value string) error {
	switch letter {
	case 'c':
		o.Chroot = true
	case 'd':
		o.Interactive = true
	case 'D':
		o.Debug = true
	case 'i':
		o.assign("max_idle", value)
	case 'l':
		o.Solitary = true
	case 'm':
		o.assign("max_use", value)
	case 'n':
		o.Service = value
	case 'o':
		name, assigned, err := splitNameValue(value)
		if err != nil {
			return fmt.Errorf("invalid \"-o %s\" option value: %w", value, err)
		}
		o.assign(name, assigned)
	case 's':
		if o.Sockets = atoi(value); o.Sockets <= 0 {
			return fmt.Errorf("invalid socket_count: %s", value)
		}
	case 'S':
		o.Stream = true
	case 't':
		o.Transport, o.HasTransport = value, true
	case 'u':
		o.Unprivileged = true
	case 'v':
		o.Verbose++
	case 'V':
		o.Stderr = true
	case 'z':
		o.Unlimited = true
	}
	return nil
}

func (o *Options) assign(name, value string) {
	o.Assignments = append(o.Assignments, Assignment{name, value})
}

// An optionScanner is getopt(3) in its POSIX form.
type optionScanner struct {
	args    []string // what has not been looked at; the left-over arguments in the end
	cluster string   // the letters still to come in the present argument
	invalid bool     // the letter is unknown, or its value is missing
}

// next returns the next option's letter and value; ok is false at the end.
func (s *optionScanner) next() (letter byte, value string, ok bool) {
	if s.cluster == "" {
		if len(s.args) == 0 || len(s.args[0]) < 2 || s.args[0][0] != '-' {
			return 0, "", false
		}
		if s.args[0] == "--" {
			s.args = s.args[1:]
			return 0, "", false
		}
		s.cluster = s.args[0][1:]
		s.args = s.args[1:]
	}
	letter, s.cluster = s.cluster[0], s.cluster[1:]
	at := strings.IndexByte(optionLetters, letter)
	s.invalid = at < 0 || letter == ':'
	if s.invalid || at+1 == len(optionLetters) || optionLetters[at+1] != ':' {
		return letter, "", true
	}
	switch {
	case s.cluster != "":
		value, s.cluster = s.cluster, ""
	case len(s.args) > 0:
		value, s.args = s.args[0], s.args[1:]
	default:
		s.invalid = true
	}
	return letter, value, true
}
