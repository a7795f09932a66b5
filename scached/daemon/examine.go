package daemon

import (
	"os"
	"strconv"
	"time"
)

// A Configuration is what a daemon finds when it starts, and what it has to say
// about it.
type Configuration struct {
	Values   []Value
	Warnings []string // as they would be logged
	Errors   []error  // the daemon would die of the first one
	Wrong    []Value  // without a text: the parameters that Errors are about, where that is known
}

// A Value is a parameter's value.
type Value struct {
	Name   string
	Text   string // what it stands for, references to other parameters replaced
	Source string // FromDefault, FromMainCF, FromCommandLine, or the service's own file
}

// Examine reads the configuration in a directory as [Start] would in a process
// with these arguments, of which the first is the program's name, and goes on
// after a mistake. It logs nothing, changes nothing, and does not look at the
// options that only master(8) sets. The parameters of the service are in their
// targets afterwards, as far as they are right.
func Examine(dir string, args []string, service Service) *Configuration {
	found := new(Configuration)
	sys := realSystem()
	sys.getenv = func(name string) (string, bool) { return dir, name == "MAIL_CONFIG" }
	s := newStarter(sys, args, service)
	s.config.warn = func(text string) { found.Warnings = append(found.Warnings, text) }
	check := func(err error) bool {
		if err != nil {
			found.Errors = append(found.Errors, err)
		}
		return err == nil
	}
	if !check(s.readConfig()) || !check(s.readOptions()) {
		return found
	}
	s.config.set("process_id", strconv.Itoa(os.Getpid()), FromMainCF)
	for _, list := range [][]Parameter{s.general, service.Parameters} {
		for i := range list {
			p := &list[i]
			switch {
			case !check(s.config.readParameter(p)):
				found.Wrong = append(found.Wrong, Value{Name: p.Name, Source: s.config.sources[p.Name]})
			case p.When == nil || p.When():
				found.Values = append(found.Values, s.config.value(p))
			}
		}
	}
	if service.Check != nil && len(found.Errors) == 0 {
		check(service.Check())
	}
	if s.Params.MailOwner != "" {
		_, err := sys.accounts.mailOwner(s.config.path(), s.Params.MailOwner)
		check(err)
	}
	if s.Params.MaillogFile != "" {
		check(s.config.checkMaillogFile(s.Params.MaillogFile))
	}
	return found
}

// value is how a value that has been read is shown.
func (c *config) value(p *Parameter) Value {
	v := Value{Name: p.Name, Source: c.sources[p.Name]}
	switch target := p.Target.(type) {
	case *string:
		v.Text = *target
	case *bool:
		v.Text = "no"
		if *target {
			v.Text = "yes"
		}
	case *int:
		v.Text = strconv.Itoa(*target)
	case *time.Duration:
		v.Text = strconv.FormatInt(int64(*target/time.Second), 10) + "s"
	}
	if v.Source == "" {
		v.Source = FromDefault
	}
	return v
}
