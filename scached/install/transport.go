package install

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"scache/scached/protocol"
)

// A Transport is a service in master.cf that delivers over SMTP or LMTP, and so
// may use the connection cache.
type Transport struct {
	Name    string
	Command string // smtp or lmtp, which parameters' names begin with
	Chroot  bool
	Options map[string]string // of -o: what comes before main.cf
}

// transports are those of a master.cf.
func transports(text []byte) (list []Transport) {
	for _, line := range logicalLines(text) {
		e := parseEntry(line)
		if len(e.words) > commandField && e.words[1] == "unix" && (e.command() == "smtp" || e.command() == "lmtp") {
			list = append(list, Transport{Name: e.words[0], Command: e.command(), Chroot: e.chroot(), Options: overrides(e.args())})
		}
	}
	return list
}

// overrides are the values after -o in arguments.
func overrides(args []string) map[string]string {
	values := map[string]string{}
	for i := 0; i < len(args); i++ {
		text, is := strings.CutPrefix(args[i], "-o")
		if is && text == "" && i+1 < len(args) {
			i++
			text = args[i]
		}
		text = strings.TrimSpace(text)
		if strings.HasPrefix(text, "{") && strings.HasSuffix(text, "}") {
			text = text[1 : len(text)-1]
		}
		if name, value, ok := strings.Cut(text, "="); is && ok {
			values[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	return values
}

// Value is a parameter's value for the transport, with main being what all
// transports have in common, references to other parameters in it replaced.
func (t *Transport) Value(name string, main map[string]string) string {
	return t.expand(name, main, 10)
}

func (t *Transport) expand(name string, main map[string]string, depth int) string {
	text, own := t.Options[name]
	switch {
	case depth == 0:
		return ""
	case name == "service_name":
		return t.Name
	case !own:
		text = main[name]
	}
	return reference.ReplaceAllStringFunc(text, func(match string) string {
		return t.expand(strings.Trim(match, "${()}"), main, depth-1)
	})
}

// A Difference is between two transports that share sessions.
type Difference struct {
	Space          string // the name space that they are in
	Transport      string
	Other          string
	What           string // a parameter, or what else it is
	Value, OtherIs string
}

func (d Difference) Error() string {
	return fmt.Sprintf("scached_name_spaces lets %s and %s share sessions, but they differ in %s: %q and %q",
		d.Transport, d.Other, d.What, d.Value, d.OtherIs)
}

// logTag is the one parameter that transports may differ in and still share
// sessions.
const logTag = "syslog_name"

// differences are those between the transports that share a name space. A
// transport that is none is one, too.
func differences(list []Transport, spaces []protocol.NameSpace, main map[string]string) (found []Difference) {
	for i, space := range spaces {
		this, known := find(list, space.Transport)
		if !known {
			found = append(found, Difference{Space: space.Space, Transport: space.Transport, Other: space.Space,
				What: "master.cf", Value: "no such service that delivers over SMTP"})
			continue
		}
		other, shares := find(list, space.Space)
		for _, earlier := range spaces[:i] {
			if !shares && earlier.Space == space.Space {
				other, shares = find(list, earlier.Transport)
			}
		}
		if shares && other.Name != this.Name {
			found = append(found, compare(this, other, space.Space, main)...)
		}
	}
	return found
}

func find(list []Transport, name string) (Transport, bool) {
	i := slices.IndexFunc(list, func(t Transport) bool { return t.Name == name })
	if i < 0 {
		return Transport{}, false
	}
	return list[i], true
}

// compare compares everything that smtp(8) can be told: its command, its jail, and
// all parameters that -o sets or that depend on the service's name.
func compare(a, b Transport, space string, main map[string]string) (found []Difference) {
	add := func(what, value, other string) {
		if value != other {
			found = append(found, Difference{Space: space, Transport: a.Name, Other: b.Name, What: what, Value: value, OtherIs: other})
		}
	}
	add("the command", a.Command, b.Command)
	add("chroot", yesNo(a.Chroot), yesNo(b.Chroot))
	names := map[string]bool{}
	for name := range a.Options {
		names[name] = true
	}
	for name := range b.Options {
		names[name] = true
	}
	for name, text := range main {
		if strings.Contains(text, "service_name") && strings.Contains(text, "$") {
			names[name] = true
		}
	}
	delete(names, logTag)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if value, other := a.Value(name, main), b.Value(name, main); value != other {
			add(name, value, other)
		}
	}
	return found
}

func yesNo(yes bool) string {
	if yes {
		return "y"
	}
	return "n"
}
