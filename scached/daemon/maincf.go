package daemon

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// The sources of a parameter's value, besides the service's own file, which has
// its own name.
const (
	FromDefault     = "default"
	FromMainCF      = "main.cf"
	FromCommandLine = "-o"
)

// A config is Postfix's "mail_dict": what main.cf says, then what the service's
// own file says, then the command line, then the defaults of the parameters that
// were asked for.
type config struct {
	dir     string // the directory of main.cf
	own     string // the base name of the service's own file there; empty for none
	values  map[string]string
	sources map[string]string
	warn    func(text string)
}

func newConfig(dir string, warn func(text string)) *config {
	return &config{dir: dir, values: make(map[string]string), sources: make(map[string]string), warn: warn}
}

func (c *config) path() string { return c.dir + "/" + FromMainCF }

func (c *config) set(name, value, source string) {
	c.values[name] = value
	c.sources[name] = source
}

// load reads main.cf. An error is the text that the reference dies with
// (src/util/dict.c, dict_load_file_xt).
func (c *config) load() error { return c.loadFile(FromMainCF, nil) }

// loadOwn reads the service's own file, if it has one and the file is there. The
// file has the form of main.cf, but only parameters of the service are of any
// use in it.
func (c *config) loadOwn(known func(name string) bool) error {
	if c.own == "" {
		return nil
	}
	if err := c.loadFile(c.own, known); !errors.Is(err, unix.ENOENT) {
		return err
	}
	return nil
}

// loadFile reads a file of the directory. It warns about a name that is not
// known, unless all are welcome.
func (c *config) loadFile(base string, known func(name string) bool) error {
	path := c.dir + "/" + base
	text, err := readFile(path)
	if err != nil {
		return err
	}
	lines := lineReader{name: path, text: text, warn: c.warn}
	for {
		line, number, ok := lines.next()
		if !ok {
			return nil
		}
		name, value, err := splitNameValue(line)
		if err != nil {
			return fmt.Errorf("%s, line %d: %w: \"%s\"", path, number, err, line)
		}
		if known != nil && !known(name) {
			c.warn(fmt.Sprintf("%s, line %d: unknown parameter: %s", path, number, name))
		}
		if old, ok := c.values[name]; ok && old != value && c.sources[name] == base {
			c.warn(fmt.Sprintf("%s, line %d: overriding earlier entry: %s=%s", path, number, name, old))
		}
		c.set(name, value, base)
	}
}

// readFile reads a whole file. The os package is no help here: it would keep
// two descriptors for its poller for as long as the process lives.
//
// A file that was changed while it was read is read again, so that an editor
// that writes in place is not caught half-way. (The reference waits until the
// file has not been changed for a second, which would delay every start after
// a change by as much.)
func readFile(path string) ([]byte, error) {
	const attempts = 10
	for i := 0; ; i++ {
		text, stable, err := readFileOnce(path)
		if err != nil || stable || i == attempts {
			return text, err
		}
	}
}

func readFileOnce(path string) (text []byte, stable bool, err error) {
	fd, err := retry(func() (int, error) {
		return unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return nil, false, &callError{"open " + path, err}
	}
	defer unix.Close(fd)
	var before, after unix.Stat_t
	if err := unix.Fstat(fd, &before); err != nil {
		return nil, false, &callError{"fstat " + path, err}
	}
	text = make([]byte, 0, before.Size+512)
	for {
		if len(text) == cap(text) {
			text = append(text, 0)[:len(text)]
		}
		n, err := retry(func() (int, error) {
			return unix.Read(fd, text[len(text):cap(text)])
		})
		if err != nil {
			return nil, false, &callError{"read " + path, err}
		}
		if n == 0 {
			break
		}
		text = text[:len(text)+n]
	}
	if err := unix.Fstat(fd, &after); err != nil {
		return nil, false, &callError{"fstat " + path, err}
	}
	return text, before.Size == after.Size && before.Mtim == after.Mtim, nil
}

// retry repeats a system call that a signal has interrupted. The Go runtime
// sends signals to its own threads, so this is not rare.
func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR {
			return n, err
		}
	}
}

// A lineReader takes a file apart into logical lines: one begins at a line that
// does not start with white space and goes on over those that do. Lines that
// are empty, white or comments are nowhere (src/util/readlline.c).
type lineReader struct {
	name   string
	text   []byte
	number int // of the physical line that was read last
	warn   func(text string)
}

// next returns a logical line and the number of its first physical line.
func (r *lineReader) next() (line string, number int, ok bool) {
	for {
		logical, first := r.logicalLine()
		if len(logical) == 0 {
			return "", 0, false
		}
		if !isSpace(logical[0]) {
			return string(untilNUL(logical)), first, true
		}
		dots := ""
		if len(logical) > 30 {
			dots = "..."
		}
		r.warn(fmt.Sprintf("%s: logical line must not start with whitespace: \"%s%s\"",
			r.name, clip(string(untilNUL(logical)), 30), dots))
	}
}

func (r *lineReader) logicalLine() (logical []byte, first int) {
	for len(r.text) > 0 {
		line, rest, _ := bytes.Cut(r.text, []byte("\n"))
		r.text = rest
		r.number++
		if skipped := bytes.TrimLeft(line, " \t\v\f\r"); len(skipped) > 0 && skipped[0] != '#' {
			if len(logical) == 0 {
				first = r.number
			}
			logical = append(logical, line...)
		}
		continues := len(rest) > 0 && (rest[0] == '#' || isSpace(rest[0]))
		if len(logical) > 0 && !continues {
			break
		}
	}
	return logical, first
}

// untilNUL returns what C takes for the string.
func untilNUL(b []byte) []byte {
	head, _, _ := bytes.Cut(b, []byte{0})
	return head
}

// splitNameValue splits "name = value" at the first equals sign
// (src/util/split_nameval.c).
func splitNameValue(s string) (name, value string, err error) {
	start := 0
	for start < len(s) && isSpace(s[start]) {
		start++
	}
	end := start
	for end < len(s) && !isSpace(s[end]) && s[end] != '=' {
		end++
	}
	if end == start {
		return "", "", errors.New("missing attribute name")
	}
	equals := end
	for equals < len(s) && isSpace(s[equals]) {
		equals++
	}
	if equals == len(s) || s[equals] != '=' {
		return "", "", errors.New("missing '=' after attribute name")
	}
	return s[start:end], trimSpace(s[equals+1:]), nil
}
