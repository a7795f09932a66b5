package doctor

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"scache/scached/control"
	"scache/scached/daemon"
)

// An examination collects findings, each once.
type examination struct {
	*Facts
	findings []Finding
	by       string // the transport that mail goes by for what was asked about, if that is known
	nexthop  string // that it goes to, if something was asked about
}

// Examine tells what is wrong and what is worth knowing.
func Examine(facts *Facts) []Finding {
	e := &examination{Facts: facts}
	e.service()
	e.parameters()
	e.dialect()
	e.differences()
	if e.destination() {
		e.transports()
	}
	e.running()
	if e.Status != nil {
		e.counters()
	}
	e.apart()
	return e.findings
}

func (e *examination) add(f Finding) {
	if !slices.Contains(e.findings, f) {
		e.findings = append(e.findings, f)
	}
}

func (e *examination) wrong(what, where, change string) {
	e.add(Finding{Wrong: true, What: what, Where: where, Change: change})
}

func (e *examination) note(what, where, change string) {
	e.add(Finding{What: what, Where: where, Change: change})
}

func (e *examination) mainCF() string { return e.ConfigDir + "/main.cf" }

// service is about the program of the service in master.cf.
func (e *examination) service() {
	where := fmt.Sprintf("service %s in %s", e.Service, e.MasterCF)
	if e.Reference {
		e.wrong("the service runs Postfix's own scache(8), of which nothing more can be said", where, `run "scachectl install"`)
		return
	}
	for _, problem := range e.Problems {
		e.wrong(problem.Error(), where, `put the program there, with "scachectl install"; "scachectl check" says more`)
	}
}

// ours are parameters that are scached's, and none of Postfix's.
const ours = "scached_"

// parameters is about those of the daemon.
func (e *examination) parameters() {
	if e.Reference {
		return
	}
	for _, err := range e.Config.Errors {
		e.wrong("the daemon dies of it: "+err.Error(), e.source(err.Error()), "give the parameter a value that it may have")
	}
	for _, warning := range e.Config.Warnings {
		if strings.Contains(warning, "overriding earlier entry") {
			e.note(warning, e.source(warning), "leave one of the two")
			continue
		}
		e.wrong(warning, e.source(warning), "take it away, or spell it as scached(8) does")
	}
	known := map[string]bool{}
	for _, value := range e.Config.Values {
		known[value.Name] = true
	}
	for name := range e.OursInMain {
		if !known[name] && !e.mentioned(name) {
			e.wrong("there is no parameter "+name, e.mainCF(), "take it away, or spell it as scached(8) does")
		}
	}
}

// mentioned tells whether an error is about a parameter.
func (e *examination) mentioned(name string) bool {
	return slices.ContainsFunc(e.Config.Errors, func(err error) bool { return strings.Contains(err.Error(), name) })
}

// source is where the parameter stands that a message is about.
func (e *examination) source(message string) string {
	for _, value := range slices.Concat(e.Config.Wrong, e.Config.Values) {
		if strings.Contains(message, value.Name) && value.Source != daemon.FromDefault {
			return e.sourceOf(value.Source)
		}
	}
	if strings.Contains(message, e.ConfigDir) {
		return e.ConfigDir
	}
	return fmt.Sprintf("scached.cf or main.cf in %s, or -o in %s", e.ConfigDir, e.MasterCF)
}

func (e *examination) sourceOf(source string) string {
	switch source {
	case daemon.FromCommandLine:
		return fmt.Sprintf("service %s in %s, -o", e.Service, e.MasterCF)
	case daemon.FromDefault:
		return "the default"
	}
	return e.ConfigDir + "/" + source
}

// dialect is about what the daemon speaks.
func (e *examination) dialect() {
	const parameter = "scached_protocol_version"
	if e.Reference || e.Dialect == "" || e.Spoken == "" {
		return
	}
	if e.Spoken != e.Dialect {
		e.wrong(fmt.Sprintf("%s is %s, but Postfix %s speaks %s: nothing is reused", parameter, e.Spoken, e.Version, e.Dialect),
			e.sourceOf(e.SpokenFrom), `run "scachectl install", which sets it, and "postfix reload"`)
	}
	if e.Status != nil && e.Status.Dialect != e.Spoken {
		e.wrong(fmt.Sprintf("the daemon that runs speaks dialect %s, but %s is %s now", e.Status.Dialect, parameter, e.Spoken),
			"the status of the daemon", `run "postfix reload"`)
	}
}

// differences is about transports that share sessions.
func (e *examination) differences() {
	for _, d := range e.Differences {
		e.wrong(d.Error(), "scached_name_spaces and "+e.MasterCF,
			"take them out of scached_name_spaces, or let them be the same: mail goes over sessions that were made for the other")
	}
}

// running is about whether the cache answers.
func (e *examination) running() {
	switch {
	case e.Silent == nil:
	case e.Reference && errors.Is(e.Silent, control.ErrNoControl):
	case errors.Is(e.Silent, control.ErrNoControl) && e.controlOff():
		e.note("the daemon answers no questions: nothing can be said of what it does", "scached_control", "set scached_control = yes")
	case errors.Is(e.Silent, control.ErrNoControl):
		e.wrong("what runs is not what is configured: "+e.Silent.Error(), e.Socket(), `run "postfix reload"`)
	case errors.Is(e.Silent, control.ErrDenied):
		e.note("the daemon was not asked: "+e.Silent.Error(), e.Socket(), "ask again as root")
	case errors.Is(e.Silent, control.ErrNotRunning):
		e.wrong(e.Silent.Error(), e.Socket(), `run "postfix start"; the log says why the service does not`)
	default:
		e.wrong("the daemon does not answer: "+e.Silent.Error(), e.Socket(), "look into the log")
	}
}

func (e *examination) controlOff() bool {
	return slices.ContainsFunc(e.Config.Values, func(v daemon.Value) bool { return v.Name == "scached_control" && v.Text == "no" })
}
