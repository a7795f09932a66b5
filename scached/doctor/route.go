package doctor

import (
	"fmt"
	"slices"
	"strings"
)

// A route is how mail goes.
type route struct {
	transport, nexthop string
	where              string // what decided that
}

// isNexthop tells a nexthop, such as [192.0.2.1]:587, from a domain or an address.
func isNexthop(asked string) bool {
	return strings.HasPrefix(asked, "[") || strings.Contains(asked, ":") || strings.Contains(asked, "/")
}

// route finds how mail goes for what was asked about, as trivial-rewrite(8) does
// (src/trivial-rewrite/resolve.c and transport.c).
func (e *examination) route() (r route, err error) {
	address := strings.ToLower(e.Asked)
	domain := address[strings.LastIndexByte(address, '@')+1:]
	class, err := e.class(domain)
	if err != nil {
		return r, err
	}
	r = route{transport: e.Values[class], nexthop: domain, where: e.whereMain(class)}
	if class == "default_transport" || class == "relay_transport" {
		err = e.relayed(&r, class)
	}
	if transport, nexthop, _ := strings.Cut(r.transport, ":"); err == nil {
		r.transport = transport
		if nexthop != "" {
			r.nexthop = nexthop
		}
	}
	if err == nil {
		err = e.mapped(&r, address, domain)
	}
	return r, err
}

// class is the parameter that has the transport for the class of a domain.
func (e *examination) class(domain string) (string, error) {
	for _, class := range []struct {
		list, transport string
		parents         bool
	}{
		{"mydestination", "local_transport", false},
		{"virtual_mailbox_domains", "virtual_transport", false},
		{"relay_domains", "relay_transport", e.parentsMatch("relay_domains")},
	} {
		for name := domain; name != ""; name = parent(name) {
			found, err := e.Listed(e.Values[class.list], name)
			if err != nil {
				return "", fmt.Errorf("%s: %w", class.list, err)
			}
			if found {
				return class.transport, nil
			}
			if !class.parents {
				break
			}
		}
	}
	return "default_transport", nil
}

// parentsMatch tells whether a list that holds a domain means those below it, too.
func (e *examination) parentsMatch(list string) bool {
	return slices.Contains(strings.FieldsFunc(e.Values["parent_domain_matches_subdomains"], isSeparator), list)
}

func parent(domain string) string {
	_, rest, _ := strings.Cut(domain, ".")
	return rest
}

// relayed applies what overrides the domain of a recipient elsewhere, which can
// depend on the sender.
func (e *examination) relayed(r *route, class string) error {
	if relay := e.Values["relayhost"]; relay != "" {
		r.nexthop, r.where = relay, r.where+"; "+e.whereMain("relayhost")
	}
	for _, name := range []string{"sender_dependent_relayhost_maps", "sender_dependent_default_transport_maps"} {
		transport := name == "sender_dependent_default_transport_maps"
		if e.Values[name] == "" || transport && class != "default_transport" {
			continue
		}
		if e.Sender == "" {
			e.note("another way may be chosen for some senders", e.whereMain(name), "ask again with --sender ADDRESS")
			continue
		}
		value, key, err := e.find(e.Values[name], bySender(e.Sender)...)
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", name, err)
		case key == "" || value == "DUNNO":
		case transport:
			r.transport, r.where = value, e.entry(name, key)
		default:
			r.nexthop, r.where = value, r.where+"; "+e.entry(name, key)
		}
	}
	return nil
}

func bySender(sender string) []string {
	sender = strings.ToLower(sender)
	return []string{sender, sender[max(0, strings.LastIndexByte(sender, '@')):]}
}

// mapped applies transport_maps.
func (e *examination) mapped(r *route, address, domain string) error {
	const name = "transport_maps"
	keys := []string{address, domain}
	dot := "."
	if e.parentsMatch(name) {
		dot = ""
	}
	for up := parent(domain); up != ""; up = parent(up) {
		keys = append(keys, dot+up)
	}
	value, key, err := e.find(e.Values[name], append(keys, "*")...)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	transport, nexthop, _ := strings.Cut(value, ":")
	switch {
	case transport == "" && nexthop == "":
		return nil
	case transport == "":
		r.nexthop = nexthop
	case nexthop == "":
		r.transport, r.nexthop = transport, domain
	default:
		r.transport, r.nexthop = transport, nexthop
	}
	r.where = e.entry(name, key)
	return nil
}

// find returns the first value that one of the tables has for one of the keys, and
// that key.
func (e *examination) find(tables string, keys ...string) (value, key string, err error) {
	for _, key := range slices.Compact(keys) {
		for _, table := range split(tables) {
			value, found, err := e.LookUp(table, key)
			if err != nil || found {
				return value, key, err
			}
		}
	}
	return "", "", nil
}

func isSeparator(r rune) bool { return strings.ContainsRune(", \t\r\n", r) }

// split takes a list of tables apart. What stands in braces, as that of inline:
// does, is kept together.
func split(list string) []string {
	depth := 0
	return strings.FieldsFunc(list, func(r rune) bool {
		switch r {
		case '{':
			depth++
		case '}':
			depth--
		}
		return depth == 0 && isSeparator(r)
	})
}

// whereMain is where a parameter is set that is none of a transport's.
func (e *examination) whereMain(name string) string {
	if _, set := e.Main[name]; set {
		return fmt.Sprintf("%s in %s", name, e.mainCF())
	}
	return name + ", by default"
}

func (e *examination) entry(parameter, key string) string {
	return fmt.Sprintf("%s in %s, entry %q", parameter, e.mainCF(), key)
}

// destination finds out what is asked about: a transport and a nexthop. It reports
// false when that cannot be told, or when mail for it does not come to the connection
// cache.
func (e *examination) destination() bool {
	e.nexthop = e.Asked
	if e.Asked == "" || isNexthop(e.Asked) {
		return true
	}
	r, err := e.route()
	if err != nil {
		e.wrong(fmt.Sprintf("it cannot be told how mail for %s goes: %v", e.Asked, err), e.mainCF(), "repair the table")
		return false
	}
	e.by, e.nexthop = r.transport, r.nexthop
	for _, t := range e.Transports {
		if t.Name == r.transport {
			e.note(fmt.Sprintf("mail for %s goes by transport %s to %s", e.Asked, r.transport, r.nexthop), r.where, "nothing")
			return true
		}
	}
	e.wrong(fmt.Sprintf("mail for %s goes by transport %s to %s, which is neither smtp(8) nor lmtp(8): no connection is cached",
		e.Asked, r.transport, r.nexthop), r.where, "nothing, if this is as it should be")
	return false
}
