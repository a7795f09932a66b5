package simulate

import (
	"strconv"

	"scache/scached/protocol"
)

// auditorNumber is that of the last client, who is always there.
const auditorNumber = 1 << 20

// audit looks at the counters, and then ends the server.
func (c *client) audit() {
	if c.w.plan.promised {
		c.pauseFor(pause{limit: c.w.now + 5*second, ready: c.w.promised})
	} else if c.connect() {
		c.ask("request", protocol.RequestStatus)
	}
	c.hangUp()
	c.say("ends the server")
	c.w.toEnd = true
	switch c.w.plan.ending {
	case masterDies:
		c.w.masterGone = true
	case listenerShut:
		c.w.listenShut = true
	default:
		c.w.server.Terminate()
	}
}

// administer looks into the cache, and drops some of it.
func (c *client) administer() {
	for range 1 + c.rand.IntN(4) {
		if !c.connect() {
			c.hangUp()
			c.sleep(100 * ms)
			continue
		}
		for range 1 + c.rand.IntN(3) {
			ok := false
			switch c.rand.IntN(4) {
			case 0:
				ok = c.flush()
			case 1:
				ok = c.list()
			default:
				_, ok = c.ask("request", protocol.RequestStatus)
			}
			if !ok {
				break
			}
			c.think()
		}
		c.hangUp()
		c.think()
	}
}

func (c *client) flush() bool {
	destination, endpoint := "", c.field("e")
	if c.rand.IntN(2) == 0 {
		destination, endpoint = c.field("d"), ""
	}
	for cursor := ""; ; {
		answer, ok := c.ask("request", protocol.RequestFlush, "transport", "", "destination", destination,
			"endpoint", endpoint, "match", protocol.MatchExact, "cursor", cursor)
		if !ok {
			return false
		}
		if len(answer) != 4 {
			return c.wrong("%s: a flush is answered with %q", c.name, answer)
		}
		if cursor = answer[1][1]; cursor == "" {
			return true
		}
	}
}

// list lists sessions or bindings, a few at a time. One that stays is listed exactly once.
func (c *client) list() bool {
	before := map[string]bool{}
	for _, s := range c.w.model.sessions {
		before[s.property] = true
	}
	what, transport := protocol.WhatSessions, ""
	switch c.rand.IntN(4) {
	case 0:
		what = protocol.WhatBindings
	case 1:
		transport = "smtp"
	}
	seen := map[string]bool{}
	for cursor := ""; ; {
		answer, ok := c.ask("request", protocol.RequestList, "what", what, "transport", transport, "destination", "",
			"endpoint", "", "match", protocol.MatchExact, "cursor", cursor, "count", strconv.Itoa(1+c.rand.IntN(4)))
		if !ok {
			return false
		}
		if len(answer) < 2 {
			return c.wrong("%s: a listing is answered with %q", c.name, answer)
		}
		for _, word := range answer {
			switch name := word[0] + " " + word[1]; word[0] {
			case "sequence":
				if seen[name] {
					c.w.fail("%s: entry %s is listed twice", c.name, word[1])
				}
				seen[name] = true
			case "property":
				seen[word[1]] = true
			}
		}
		if cursor = answer[1][1]; cursor == "" {
			break
		}
		c.sleep(c.rand.Int64N(2 * ms))
	}
	for _, s := range c.w.model.sessions {
		if what == protocol.WhatSessions && transport == "" && before[s.property] && !seen[s.property] && !c.w.model.relaxed {
			c.w.fail("%s: %v is not listed", c.name, s)
		}
	}
	return true
}
