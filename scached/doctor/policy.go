package doctor

import (
	"fmt"
	"strings"
)

// A policy is what smtp_tls_policy_maps says of a nexthop.
type policy struct {
	level, reuse string // reuse is yes, no, or empty for what the parameter says
	where        string
}

// policy looks for the TLS policy of what was asked about, as smtp(8) does
// (src/smtp/smtp_tls_policy.c): parents count for domains alone.
func (p *patient) policy() (found policy, ok bool) {
	const parameter = "tls_policy_maps"
	if p.nexthop == "" || p.get(parameter) == "" {
		return policy{}, false
	}
	nexthop := strings.ToLower(p.nexthop)
	keys := []string{nexthop}
	if !isNexthop(nexthop) {
		for up := parent(nexthop); up != ""; up = parent(up) {
			keys = append(keys, "."+up)
		}
	}
	value, key, err := p.find(p.get(parameter), keys...)
	if err != nil {
		p.wrong(fmt.Sprintf("it cannot be told which TLS level is for %s: %v", p.nexthop, err), p.where(parameter), "repair the table")
		return policy{}, false
	}
	words := strings.FieldsFunc(value, isSeparator)
	if len(words) == 0 {
		return policy{}, false
	}
	found = policy{level: words[0], where: fmt.Sprintf("%s, entry %q", p.where(parameter), key)}
	for _, word := range words[1:] {
		if reuse, is := strings.CutPrefix(strings.ToLower(word), "connection_reuse="); is {
			found.reuse = reuse
		}
	}
	return found, true
}

// login is about the password for what was asked about (src/smtp/smtp_sasl_glue.c).
// The name of a host that is found in DNS is not known here.
func (p *patient) login() {
	const parameter = "sasl_password_maps"
	if p.nexthop == "" {
		return
	}
	var keys []string
	if p.Sender != "" && p.get("sender_dependent_authentication") == "yes" {
		keys = bySender(p.Sender)[:1]
	}
	if strings.HasPrefix(p.nexthop, "[") {
		keys = append(keys, bare(p.nexthop))
	}
	_, key, err := p.find(p.get(parameter), append(keys, strings.ToLower(p.nexthop))...)
	switch {
	case err != nil:
		p.wrong(fmt.Sprintf("it cannot be told whether there is a password for %s: %v", p.nexthop, err), p.where(parameter), "repair the table")
	case key != "":
		p.note(fmt.Sprintf("there is a password for %s: its sessions serve nobody else", p.nexthop),
			fmt.Sprintf("%s, entry %q", p.where(parameter), key), "nothing, if its servers ask for one")
	}
}
