package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"scache/scached/install"
)

// A patient is a transport, with the parameters that it delivers by.
type patient struct {
	*examination
	install.Transport
}

// get is a parameter's value, without the prefix that its name has for smtp(8) and
// lmtp(8).
func (p *patient) get(name string) string { return p.Value(p.name(name), p.Values) }

func (p *patient) name(name string) string { return p.Command + "_" + name }

// has tells whether this Postfix knows the parameter.
func (p *patient) has(name string) bool {
	_, known := p.Values[p.name(name)]
	return known
}

// where is where a parameter is set.
func (p *patient) where(name string) string {
	name = p.name(name)
	switch _, own := p.Options[name]; {
	case own:
		return fmt.Sprintf("%s, -o of transport %s in %s", name, p.Name, p.MasterCF)
	case p.Main[name] != "":
		return fmt.Sprintf("%s in %s", name, p.mainCF())
	}
	if _, empty := p.Main[name]; empty {
		return fmt.Sprintf("%s in %s", name, p.mainCF())
	}
	return name + ", by default"
}

// setting is an assignment to advise.
func (p *patient) setting(name, value string) string { return "set " + p.name(name) + " = " + value }

// transports is about every transport that is used. Two that have the same
// parameter from the same place make one finding.
func (e *examination) transports() {
	for _, t := range e.Transports {
		if e.by != "" && t.Name != e.by || e.by == "" && t.Command == "lmtp" && !e.used(t.Name) {
			continue
		}
		p := &patient{e, t}
		if !p.caching() {
			continue
		}
		p.tls()
		p.keys()
		p.times()
	}
}

// used tells whether a parameter sends mail to a transport.
func (e *examination) used(transport string) bool {
	for name, value := range e.Main {
		if strings.HasSuffix(name, "_transport") && (value == transport || strings.HasPrefix(value, transport+":")) {
			return true
		}
	}
	return false
}

// caching is about which destinations are cached, and tells whether any can be.
func (p *patient) caching() bool {
	const demand, list = "connection_cache_on_demand", "connection_cache_destinations"
	onDemand, listed := p.get(demand) == "yes", p.get(list)
	backlog := "how much mail waits is not known"
	if p.Active >= 0 {
		backlog = fmt.Sprintf("%d messages are active", p.Active)
	}
	switch {
	case !onDemand && listed == "":
		p.wrong("connections are never cached: neither on demand, nor for any destination", p.where(demand)+"; "+p.where(list),
			p.setting(demand, "yes")+", or list destinations in "+p.name(list))
		return false
	case p.Asked != "":
		p.asked(onDemand, listed, backlog)
	case listed == "":
		p.note("connections are cached on demand only: while more mail for a destination waits than is being delivered to it; "+backlog,
			p.where(list), "for destinations that get a steady stream of mail: "+p.setting(list, "..."))
	}
	return true
}

// asked is about the destination that somebody asked for.
func (p *patient) asked(onDemand bool, list, backlog string) {
	const parameter = "connection_cache_destinations"
	name := bare(p.nexthop)
	found, err := p.Listed(list, name)
	switch {
	case err != nil:
		p.wrong(fmt.Sprintf("it cannot be told whether %s is listed: %v", name, err), p.where(parameter), "repair the table")
	case found:
	case onDemand:
		p.note(fmt.Sprintf("%s is not listed: connections to it are cached only while more mail for it waits than is being delivered; %s", name, backlog),
			p.where(parameter), fmt.Sprintf("add %s to %s, if it gets a steady stream of mail", name, p.name(parameter)))
	default:
		p.wrong(fmt.Sprintf("connections to %s are never cached: it is not listed", name), p.where(parameter),
			fmt.Sprintf("add %s to %s", name, p.name(parameter)))
	}
}

// bare is a destination as the list of destinations has it: without brackets and
// port (src/smtp/smtp_connect.c).
func bare(destination string) string {
	if path, ok := strings.CutPrefix(destination, "unix:"); ok {
		return path
	}
	name := strings.TrimPrefix(strings.ToLower(destination), "inet:")
	if inside, ok := strings.CutPrefix(name, "["); ok {
		inside, _, _ = strings.Cut(inside, "]")
		return inside
	}
	if host, _, ok := strings.Cut(name, ":"); ok && strings.Count(name, ":") == 1 {
		return host
	}
	return name
}

// tls is about sessions with TLS, which only tlsproxy(8) can keep.
func (p *patient) tls() {
	const reuse = "tls_connection_reuse"
	level, where := p.get("tls_security_level"), p.where("tls_security_level")
	switch {
	case level != "":
	case p.get("enforce_tls") == "yes":
		level, where = "encrypt", p.where("enforce_tls")
	case p.get("use_tls") == "yes":
		level, where = "may", p.where("use_tls")
	}
	reused, from := p.get(reuse) == "yes", p.where(reuse)
	if policy, found := p.policy(); found {
		level, where = policy.level, policy.where
		if policy.reuse != "" {
			reused, from = policy.reuse == "yes", policy.where
		}
	}
	switch {
	case level == "" || level == "none":
		return
	case reused:
		if !slices.Contains(p.Services, "tlsproxy") {
			p.wrong("TLS connections are to be reused, but there is no service tlsproxy: no mail is delivered with TLS", p.MasterCF, "add tlsproxy, as in Postfix's own master.cf")
		}
		return
	}
	change := p.setting(reuse, "yes")
	if !slices.Contains(p.Services, "tlsproxy") {
		change = "first add the service tlsproxy, as in Postfix's own master.cf, without which no mail with TLS is delivered then; " + change
	}
	if !p.has(reuse) {
		change = "Postfix 3.4 and later can keep connections with TLS; this is " + p.Version
	}
	if level == "may" {
		p.note("connections with TLS are not reused, and TLS is used wherever a server offers it", where+"; "+from, change)
		return
	}
	p.wrong("connections with TLS are not reused, and TLS is used always", where+"; "+from, change)
}

// keys is about what keeps sessions of one destination apart.
func (p *patient) keys() {
	if p.get("sender_dependent_authentication") == "yes" {
		p.note("every sender has sessions of its own", p.where("sender_dependent_authentication"),
			"nothing, if senders log in with passwords of their own; no otherwise")
	}
	if p.get("sasl_auth_enable") == "yes" && p.get("sasl_password_maps") != "" {
		p.note("sessions are logged in to: destinations share none, even where they lead to the same server", p.where("sasl_auth_enable"),
			"nothing, if servers ask for a password")
		p.login()
	}
}

// shortReuse is a time for which reuse is hardly worth it.
const shortReuse = 30 * time.Second

// times is about how long and how often a session is used.
func (p *patient) times() {
	const keep, total, count = "connection_cache_time_limit", "connection_reuse_time_limit", "connection_reuse_count_limit"
	limit, where := p.ttlLimit()
	if wanted, ok := seconds(p.get(keep)); ok && limit > 0 && wanted > limit {
		p.note(fmt.Sprintf("sessions are kept for %v, although transport %s asks for %v", limit, p.Name, wanted), where+"; "+p.where(keep),
			fmt.Sprintf("set connection_cache_ttl_limit = %ds, if servers wait so long", int(wanted.Seconds())))
	}
	if time, ok := seconds(p.get(total)); ok && p.has(total) && time < shortReuse {
		p.note(fmt.Sprintf("a connection is used for no longer than %v", time), p.where(total), p.setting(total, "300s, which is the default"))
	}
	var n int
	if _, err := fmt.Sscan(p.get(count), &n); err == nil && n > 0 && n < 10 {
		p.note(fmt.Sprintf("a connection is reused %d times at most", n), p.where(count), p.setting(count, "0, which is the default: any number of times"))
	}
}

// ttlLimit is how long the cache keeps anything.
func (e *examination) ttlLimit() (time.Duration, string) {
	for _, v := range e.Config.Values {
		if v.Name == "connection_cache_ttl_limit" {
			limit, _ := seconds(v.Text)
			return limit, v.Name + " in " + e.sourceOf(v.Source)
		}
	}
	limit, _ := seconds(e.Values["connection_cache_ttl_limit"])
	return limit, "connection_cache_ttl_limit"
}
