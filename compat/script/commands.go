package script

import (
	"fmt"
	"strings"

	"scache/scached/cache"
)

// A command is a word of the language.
type command struct {
	name, usage string
	explain     string
	needsStore  bool
	extended    bool
	run         func(r *runner, words []string) (usage bool) // words without the name; false: print the usage
}

// commands are in the order in which "?" tells them, those of the reference
// first. It is set by init because help refers to it.
var commands []command

func init() {
	commands = []command{
		{name: "cache_type", usage: "mode", run: (*runner).cacheType,
			explain: "use another cache: multi, single, server PATH or server PATH VERSION"},
		{name: "save_endp", usage: "ttl endpoint endp_props fd", needsStore: true, run: (*runner).saveEndpoint,
			explain: "keep a session with an endpoint for ttl seconds; fd is a number for it"},
		{name: "find_endp", usage: "endpoint", needsStore: true, run: (*runner).findEndpoint,
			explain: "take the oldest session with an endpoint"},
		{name: "save_dest", usage: "ttl destination dest_props endpoint", needsStore: true, run: (*runner).saveDestination,
			explain: "bind an endpoint to a destination for ttl seconds"},
		{name: "find_dest", usage: "destination", needsStore: true, run: (*runner).findDestination,
			explain: "take a session with an endpoint of a destination"},
		{name: "sleep", usage: "time", run: (*runner).sleep,
			explain: "let seconds pass"},
		{name: "verbose", usage: "level", run: (*runner).setVerbose,
			explain: "0: do not trace what the cache does"},
		{name: "?", run: (*runner).help, explain: "tell the commands"},
	}
	commands = append(commands, extendedCommands...)
}

// command runs one command.
func (r *runner) command(words []string) {
	for _, c := range commands {
		if c.name != words[0] || c.extended && !r.Extended {
			continue
		}
		r.known = true
		r.expire()
		if c.needsStore && r.store == nil {
			r.error("no session cache")
		} else if !c.run(r, words[1:]) {
			r.error("usage: %s %s", c.name, c.usage)
		}
		return
	}
	r.error("bad command: %s", words[0])
}

func (r *runner) cacheType(words []string) bool {
	switch {
	case len(words) == 2 && words[0] == "server":
		r.useServer(words[1], newestVersion, "")
		return true
	case len(words) == 3 && words[0] == "server":
		r.useServer(words[1], words[2], "")
		return true
	case len(words) != 1:
		return false
	}
	var create func(cache.Options) cache.Cache
	switch words[0] {
	case "multi":
		if r.Server != "" {
			r.useFreshServer()
			return true
		}
		create = func(o cache.Options) cache.Cache { return cache.NewMulti(o) }
	case "single":
		create = func(o cache.Options) cache.Cache { return cache.NewSingle(o) }
	default:
		// The reference goes on with the cache that it has just freed.
		r.error("unknown cache type: %s", words[0])
		return true
	}
	if r.store != nil {
		r.store.close()
	}
	r.store = newLocalStore(r, create)
	return true
}

func (r *runner) saveEndpoint(words []string) bool {
	if len(words) != 4 {
		return false
	}
	ttl, session := atoi(words[0]), atoi(words[3])
	if ttl <= 0 || session <= 0 {
		return false
	}
	r.saves++
	r.check("save_endp", r.store.saveEndpoint(ttl, words[1], words[2], session))
	return true
}

func (r *runner) saveDestination(words []string) bool {
	if len(words) != 4 {
		return false
	}
	ttl := atoi(words[0])
	if ttl <= 0 {
		return false
	}
	r.check("save_dest", r.store.saveDestination(ttl, words[1], words[2], words[3]))
	return true
}

func (r *runner) findEndpoint(words []string) bool {
	if len(words) != 1 {
		return false
	}
	result, err := r.store.findEndpoint(words[0])
	r.report("find_endp", result, err)
	return true
}

func (r *runner) findDestination(words []string) bool {
	if len(words) != 1 {
		return false
	}
	result, err := r.store.findDestination(words[0])
	result.ByDestination = true
	r.report("find_dest", result, err)
	return true
}

// check reports an operation that could not be carried out. It never happens to
// the commands of the reference with a cache in this process.
func (r *runner) check(operation string, err error) {
	if err != nil {
		r.error("%s: %v", operation, err)
	}
}

func (r *runner) report(operation string, result Result, err error) {
	r.found = nil
	if err != nil {
		r.check(operation, err)
		return
	}
	r.found = &result
	if r.Found != nil {
		r.Found(r.line, result)
	}
}

func (r *runner) sleep(words []string) bool {
	if len(words) != 1 || atoi(words[0]) <= 0 {
		return false
	}
	r.out.w.Flush()
	r.clock.sleep(atoi(words[0]))
	r.expire()
	return true
}

// expire runs the timers that are due.
func (r *runner) expire() {
	if r.store != nil {
		r.store.expire(r.clock.now())
	}
}

func (r *runner) setVerbose(words []string) bool {
	if len(words) != 1 || atoi(words[0]) < 0 {
		return false
	}
	r.verbose = atoi(words[0]) > 0 || r.AlwaysVerbose
	return true
}

// help names the commands; a person is also told what they do.
func (r *runner) help([]string) bool {
	names := []string{"commands:"}
	for _, c := range commands {
		if !c.extended || r.Extended {
			names = append(names, c.name)
		}
	}
	r.out.print("%s\n", strings.Join(names, " "))
	for _, c := range commands {
		if r.typed && (!c.extended || r.Extended) {
			r.out.print("%s", c)
		}
	}
	return true
}

// String is a line of help.
func (c command) String() string {
	return fmt.Sprintf("  %-48s %s\n", strings.TrimSpace(c.name+" "+c.usage), c.explain)
}

// Help lists all commands and what they do, a line each, as "scachectl script
// --help" and README.md have it.
func Help() string {
	var plain, extended strings.Builder
	for _, c := range commands {
		if c.extended {
			extended.WriteString(c.String())
		} else {
			plain.WriteString(c.String())
		}
	}
	return "A script has a command on each line. A line that begins with # is a comment.\n\n" + plain.String() +
		"\nExtended scripts also have:\n\n" + extended.String()
}
