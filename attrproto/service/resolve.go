package service

import "scache/attrproto"

// A Route is where mail for an address goes.
type Route struct {
	Transport string     `json:"transport"` // the delivery agent's name in master.cf
	Nexthop   string     `json:"nexthop"`   // where to, in that agent's terms
	Recipient string     `json:"recipient"` // the address that it is told
	Flags     RouteFlags `json:"flags"`
}

// RouteFlags say more about a route. They are those of
// src/global/resolve_clnt.h.
type RouteFlags uint32

const (
	RouteFinal   RouteFlags = 1 << 0  // the domain is one of ours
	RouteRouted  RouteFlags = 1 << 1  // the address says by which way to go
	RouteError   RouteFlags = 1 << 2  // bad syntax
	RouteFail    RouteFlags = 1 << 3  // a table cannot be read
	ClassLocal   RouteFlags = 1 << 8  // mydestination and the like
	ClassAlias   RouteFlags = 1 << 9  // virtual_alias_domains
	ClassVirtual RouteFlags = 1 << 10 // virtual_mailbox_domains
	ClassRelay   RouteFlags = 1 << 11 // relay_domains
	ClassDefault RouteFlags = 1 << 12 // any other
)

var routeFlagNames = []struct {
	flag RouteFlags
	name string
}{
	{RouteFinal, "final"}, {RouteRouted, "routed"}, {RouteError, "error"}, {RouteFail, "fail"},
	{ClassLocal, "local"}, {ClassAlias, "alias"}, {ClassVirtual, "virtual"}, {ClassRelay, "relay"}, {ClassDefault, "default"},
}

// Names are the names of the flags that are set.
func (f RouteFlags) Names() []string {
	names := []string{}
	for _, known := range routeFlagNames {
		if f&known.flag != 0 {
			names = append(names, known.name)
		}
	}
	return names
}

// Resolve asks trivial-rewrite(8) for the route of an address, in the form that
// it has inside Postfix: without the quotes of a message's. With a sender, that
// may depend on it; empty stands for the null sender.
//
// From src/global/resolve_clnt.c.
func (p Postfix) Resolve(sender, address string) (route Route, err error) {
	var serverFlags, flags int
	err = p.ask("rewrite", 5, func(w *attrproto.Writer) {
		w.String("request", "resolve")
		w.String("sender", sender)
		w.String("address", address)
	}, attrproto.FlagStrict,
		attrproto.IntVar("flags", &serverFlags),
		attrproto.StringVar("transport", &route.Transport),
		attrproto.StringVar("nexthop", &route.Nexthop),
		attrproto.StringVar("recipient", &route.Recipient),
		attrproto.IntVar("flags", &flags))
	route.Flags = RouteFlags(uint32(flags))
	return route, err
}

// Rewrite asks trivial-rewrite(8) to make an address complete. The rule is
// "local", which appends our domain to an address without one, or "remote".
// The address is in the form that it has in a message.
//
// From src/global/rewrite_clnt.c.
func (p Postfix) Rewrite(rule, address string) (result string, err error) {
	var serverFlags int
	err = p.ask("rewrite", 2, func(w *attrproto.Writer) {
		w.String("request", "rewrite")
		w.String("rule", rule)
		w.String("address", address)
	}, attrproto.FlagStrict,
		attrproto.IntVar("flags", &serverFlags), attrproto.StringVar("address", &result))
	return result, err
}
