package protocol

import (
	"strconv"
	"strings"

	"scache/attrproto"
	"scache/scached/cache"
)

// tellStatus answers scached_status.
func (c *Conn) tellStatus([]byte) Action {
	s := c.service
	c.answer()
	if s.About != nil {
		for _, a := range s.About() {
			c.tell(a.Name, a.Value)
		}
	}
	c.tell("dialect", s.Dialect.Version)
	c.tell("start_time_seconds", strconv.FormatInt(s.start.Unix(), 10))
	s.metrics(func(name string, value uint64) { c.tell(name, strconv.FormatUint(value, 10)) })
	c.out = attrproto.Null.AppendEnd(c.out)
	return Input
}

// metrics passes everything on that can be counted here.
func (s *Service) metrics(add func(name string, value uint64)) {
	s.Counters.each(add)
	size, memory := s.Cache.Size(), s.Cache.Memory
	add("sessions", uint64(size.Sessions))
	add("endpoints", uint64(size.Endpoints))
	add("destinations", uint64(size.Destinations))
	add("bindings", uint64(size.Bindings))
	for _, held := range []struct {
		by    string
		bytes int
	}{
		{"sessions", memory.Sessions}, {"bindings", memory.Bindings},
		{"spare", memory.Spare}, {"conversations", memory.Conversations},
	} {
		add(`memory_bytes{held_by="`+held.by+`"}`, uint64(max(held.bytes, 0)))
	}
	for limit, n := range s.Cache.Dropped {
		add(`given_up_total{limit="`+cache.Limit(limit).String()+`"}`, uint64(n))
	}
	for limit, n := range s.Limits.List() {
		add(`limit{name="`+cache.Limit(limit).String()+`"}`, uint64(n))
	}
	for i := range s.transports.used {
		t := s.transports.of(uint8(i))
		name := `transport="` + labelValue(t.name) + `"`
		add(`transport_lookups_total{`+name+`,result="hit"}`, t.hits)
		add(`transport_lookups_total{`+name+`,result="miss"}`, t.misses)
		add(`transport_saves_total{`+name+`}`, t.saves)
		add(`transport_sessions{`+name+`}`, t.sessions)
	}
}

// labelValue is a name as it may stand between the quotation marks of a metric's
// label.
func labelValue(name string) string {
	name = strings.ToValidUTF8(name, "?")
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(name)
}
