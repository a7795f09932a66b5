package server

import (
	"os"
	"strconv"

	"scache/scached/protocol"
)

// about is what the server tells an administrator about itself. The names are
// those of package protocol's control requests.
func (s *Server) about() []protocol.Attribute {
	number := func(name string, n int) protocol.Attribute {
		return protocol.Attribute{Name: name, Value: strconv.Itoa(n)}
	}
	suppressed := uint64(0)
	if s.config.Suppressed != nil {
		suppressed = s.config.Suppressed()
	}
	open := s.descriptors.unclosed()
	return []protocol.Attribute{
		{Name: "version", Value: s.config.Version},
		number("pid", os.Getpid()),
		{Name: "warnings_suppressed_total", Value: strconv.FormatUint(suppressed, 10)},
		number("clients", s.count),
		number("descriptors", s.count+open),
		number("closing", open-s.service.Cache.Size().Sessions),
		number("lingering", s.quits.count),
		number(`limit{name="scached_client_limit"}`, s.config.MaxClients),
		number(`limit{name="descriptors"}`, s.capacity),
	}
}
