package script

import (
	"fmt"
	"strings"

	"scache/scached/cache"
)

// extendedCommands are those that the reference does not have. They make a
// script a test by itself.
var extendedCommands = []command{
	{name: "size", usage: "[destinations endpoints sessions]", needsStore: true, extended: true, run: (*runner).size,
		explain: "tell how much is cached, or that it is what it should be"},
	{name: "expect", usage: "FOUND|MISS [dest_props] [endp_props]", extended: true, run: (*runner).expect,
		explain: "what the last lookup must have given"},
	{name: "close", usage: "fd", needsStore: true, extended: true, run: (*runner).closeRemote,
		explain: "the remote end of a session hangs up"},
	{name: "say", usage: "fd text", needsStore: true, extended: true, run: (*runner).sayRemote,
		explain: "the remote end of a session sends a line"},
	{name: "repeat", usage: "count", extended: true, run: (*runner).repeat,
		explain: "run what follows many times, with the number for $n"},
	{name: "end", extended: true, run: (*runner).end,
		explain: "the end of what is repeated"},
}

// String is what a lookup gave, in the words of the cache's log.
func (r Result) String() string {
	if !r.Found {
		return "not found"
	}
	text := "found:"
	if r.ByDestination {
		text += " dest_prop=" + r.DestProperty
	}
	text += fmt.Sprintf(" endp_prop=%s fd=%d", r.EndpProperty, r.Session)
	if r.Save > 0 {
		text += fmt.Sprintf(" (save_endp %d, line %d)", r.Save, r.Line)
	}
	return text
}

// A sizer is a store that tells how much it holds.
type sizer interface{ size() cache.Size }

func (s *localStore) size() cache.Size { return s.cache.Size() }

func (r *runner) size(words []string) bool {
	if len(words) != 0 && len(words) != 3 {
		return false
	}
	store, ok := r.store.(sizer)
	if !ok {
		r.error("size: a server does not tell it")
		return true
	}
	size := store.size()
	have := fmt.Sprintf("destinations=%d endpoints=%d sessions=%d", size.Destinations, size.Endpoints, size.Sessions)
	if len(words) == 0 {
		r.out.print("size: %s\n", have)
		return true
	}
	want := fmt.Sprintf("destinations=%d endpoints=%d sessions=%d", atoi(words[0]), atoi(words[1]), atoi(words[2]))
	if have != want {
		r.error("size: expected %s, have %s", want, have)
	}
	return true
}

func (r *runner) expect(words []string) bool {
	if len(words) == 0 || len(words) > 1 && words[0] != "FOUND" {
		return false
	}
	if r.found == nil {
		r.error("expect: no lookup before it")
		return true
	}
	switch words[0] {
	case "FOUND":
		var have []string
		if r.found.ByDestination {
			have = append(have, r.found.DestProperty)
		}
		have = append(have, r.found.EndpProperty)
		want := words[1:]
		if len(want) > len(have) {
			return false
		}
		if !r.found.Found || len(want) > 0 && strings.Join(have, " ") != strings.Join(want, " ") {
			r.error("expected %s, have %s", strings.Join(words, " "), r.found)
		}
	case "MISS":
		if r.found.Found {
			r.error("expected MISS, have %s", r.found)
		}
	default:
		return false
	}
	return true
}

func (r *runner) closeRemote(words []string) bool {
	if len(words) != 1 {
		return false
	}
	r.check("close", r.store.closeRemote(atoi(words[0])))
	return true
}

func (r *runner) sayRemote(words []string) bool {
	if len(words) < 2 {
		return false
	}
	r.check("say", r.store.sayRemote(atoi(words[0]), strings.Join(words[1:], " ")))
	return true
}
