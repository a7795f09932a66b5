package daemon

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Parameter is one that a service reads from main.cf, from its own file and
// from -o, and where its value goes. Everything that is said about parameters,
// in manual pages and elsewhere, comes from such declarations.
type Parameter struct {
	Name    string
	Default string // as in main.cf: it may refer to other parameters

	// Target is a pointer to where the value goes, and so decides how it is
	// written: to a string for text, to a bool for yes or no, to an int for a
	// 32-bit number, to a time.Duration for a time with a unit in whole seconds.
	Target any

	// Min is the least number, the least time in seconds, the least length of a
	// text in bytes.
	Min int
	// OneOf, if not empty, is what a text may be.
	OneOf []string
	// Unit is what a number counts; empty for what is no number.
	Unit string
	// Help says in one phrase what the parameter is for, and More in whole
	// sentences what else there is to know.
	Help, More string

	// When, if set, tells whether there is such a parameter, once the parameters
	// before it have been read.
	When func() bool
	// Check, if set, looks at the value once it is in Target.
	Check func() error

	// read finds the value of a parameter whose default is the system's.
	read func() error
}

// Kind says in a word how values of the parameter are written.
func (p *Parameter) Kind() string {
	switch p.Target.(type) {
	case *bool:
		return "boolean"
	case *int:
		return "number"
	case *time.Duration:
		return "time"
	}
	return "text"
}

// readParameter evaluates a parameter and checks its value. What is wrong with a
// value from main.cf or the command line is said in the words that the reference
// dies with; the name of the service's own file goes before them.
func (c *config) readParameter(p *Parameter) error {
	if p.When != nil && !p.When() {
		return nil
	}
	err := c.assign(p)
	if err == nil && p.Check != nil {
		err = p.Check()
	}
	if err != nil && c.own != "" && c.sources[p.Name] == c.own {
		return fmt.Errorf("file %s: %w", c.dir+"/"+c.own, err)
	}
	return err
}

// assign puts a parameter's value into its target.
func (c *config) assign(p *Parameter) (err error) {
	if p.read != nil {
		return p.read()
	}
	switch target := p.Target.(type) {
	case *string:
		if *target, err = c.str(p.Name, p.Default, p.Min); err == nil {
			err = p.choice(*target)
		}
	case *bool:
		*target, err = c.boolean(p.Name, p.Default)
	case *int:
		*target, err = c.integer(p.Name, p.Default, p.Min)
	case *time.Duration:
		*target, err = c.seconds(p.Name, p.Default, p.Min)
	default:
		err = fmt.Errorf("parameter %s: no value can be put into a %T", p.Name, p.Target)
	}
	return err
}

func (p *Parameter) choice(value string) error {
	if len(p.OneOf) == 0 || slices.Contains(p.OneOf, value) {
		return nil
	}
	last := len(p.OneOf) - 1
	return fmt.Errorf("parameter %s: unknown value: %s (specify %s or %s)",
		p.Name, value, strings.Join(p.OneOf[:last], ", "), p.OneOf[last])
}

// readParameters reads parameters up to the first mistake.
func (c *config) readParameters(list []Parameter) error {
	for i := range list {
		if err := c.readParameter(&list[i]); err != nil {
			return err
		}
	}
	return nil
}
