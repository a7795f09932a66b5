package service

import "scache/attrproto"

// A Service is what to know before talking to a Postfix daemon: where its
// socket is, which encoding it speaks, and what it says first.
type Service struct {
	Name     string // in master.cf, and of the socket
	Public   bool   // the socket is in the directory public, not in private
	Encoding attrproto.Encoding
	// Protocol is what the service names in its greeting, a list with the one
	// attribute "protocol", as of Postfix 3.6. Only the list of cleanup(8) goes
	// on, with "queue_id". Before 3.6 most services do not greet; cleanup says
	// its queue_id alone, a delivery agent status=0.
	Protocol string
}

// Path is where the socket is below queue_directory.
func (s Service) Path() string {
	if s.Public {
		return "public/" + s.Name
	}
	return "private/" + s.Name
}

const deliveryProtocol = "delivery_request_protocol"

// Table has the Postfix services that greet, under the names that they have
// in the master.cf of the distribution. Every delivery agent greets like
// local(8).
//
// From src/global/mail_proto.h. The spelling of verify's protocol is Postfix's.
var Table = []Service{
	{Name: "anvil", Encoding: attrproto.Plain, Protocol: "anvil_protocol"},
	{Name: "bounce", Protocol: "delivery_status_protocol"},
	{Name: "cleanup", Public: true, Protocol: "cleanup_protocol"},
	{Name: "defer", Protocol: "delivery_status_protocol"},
	{Name: "discard", Protocol: deliveryProtocol},
	{Name: "error", Protocol: deliveryProtocol},
	{Name: "flush", Public: true, Protocol: "queue_flush_protocol"},
	{Name: "lmtp", Protocol: deliveryProtocol},
	{Name: "local", Protocol: deliveryProtocol},
	{Name: "proxymap", Protocol: "proxymap_protocol"},
	{Name: "proxywrite", Protocol: "proxymap_protocol"},
	{Name: "relay", Protocol: deliveryProtocol},
	{Name: "retry", Protocol: deliveryProtocol},
	{Name: "rewrite", Protocol: "trivial_rewrite_protocol"},
	{Name: "scache", Protocol: "connection_cache_protocol"},
	{Name: "showq", Public: true, Protocol: "mail_queue_list_protocol"},
	{Name: "smtp", Protocol: deliveryProtocol},
	{Name: "tlsmgr", Protocol: "tlsmgr_protocol"},
	{Name: "tlsproxy", Protocol: "tlsproxy_protocol"},
	{Name: "trace", Protocol: "delivery_status_protocol"},
	{Name: "verify", Protocol: "address_verification_prrotocol"},
	{Name: "virtual", Protocol: deliveryProtocol},
}

// Find returns the service of that name.
func Find(name string) (s Service, ok bool) {
	for _, s := range Table {
		if s.Name == name {
			return s, true
		}
	}
	return Service{}, false
}
