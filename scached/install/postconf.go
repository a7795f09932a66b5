package install

import (
	"fmt"
	"os/exec"
	"regexp"
	"strings"
)

// A postconf runs postconf(1), in no other way than that of the oldest Postfix
// that has a connection cache: one parameter at a time, without -x, -M and -P,
// which came with 2.9 to 2.11.
type postconf struct {
	program string
	config  string // configuration directory; empty for the system's
}

func (p postconf) run(args ...string) (string, error) {
	if p.config != "" {
		args = append([]string{"-c", p.config}, args...)
	}
	cmd := exec.Command(p.program, args...)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("postconf %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(complaints.String()))
	}
	return strings.TrimSpace(string(out)), nil
}

// builtIn returns the value that a parameter has when main.cf says nothing.
func (p postconf) builtIn(name string) (string, error) {
	return postconf{program: p.program}.run("-dh", name)
}

// reference matches a reference to a parameter without a condition.
var reference = regexp.MustCompile(`\$(?:\{(\w+)\}|\((\w+)\)|(\w+))`)

// value returns a parameter's value, references in it replaced.
func (p postconf) value(name string) (string, error) { return p.expand(name, 10) }

func (p postconf) expand(name string, depth int) (string, error) {
	if depth == 0 {
		return "", fmt.Errorf("parameter %s refers to itself", name)
	}
	text, err := p.run("-h", name)
	if err != nil {
		return "", err
	}
	text = reference.ReplaceAllStringFunc(text, func(match string) string {
		value, expandErr := p.expand(strings.Trim(match, "${()}"), depth-1)
		if expandErr != nil {
			err = expandErr
		}
		return value
	})
	return text, err
}
