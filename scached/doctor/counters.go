package doctor

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

const countersOf = "the counters of the daemon"

// counters is about what the daemon has done since it started.
func (e *examination) counters() {
	s := e.Status
	where := fmt.Sprintf("%s, since %s", countersOf, s.Start.Format("15:04:05"))
	hits := s.Sum("lookups_total", "result", "hit")
	misses := s.Sum("lookups_total", "kind", "destination", "result", "miss")
	saved := s.Sum("saves_total", "kind", "session")
	switch {
	case hits+misses+saved == 0:
		e.note("nobody has asked for a session, or saved one", where, "ask again when mail has been delivered; see the other findings")
	case saved == 0:
		e.note(fmt.Sprintf("%d lookups, but not one session was saved: what is delivered over cannot be kept", hits+misses), where,
			"see what is said of TLS; servers that answer RSET badly or close after a message are others")
	}
	e.misses(where)
	e.closed(where)
	for name, n := range s.Values("given_up_total", "limit") {
		if n > 0 {
			e.note(fmt.Sprintf("%d items were given up for a limit: %s", n, name), where, "raise "+name)
		}
	}
	if n := s.Sum("handovers_total", "result", "failed"); n > 0 {
		e.note(fmt.Sprintf("%d sessions could not be handed over: smtp(8) had gone", n), where, "nothing, if these are few")
	}
}

// misses is about lookups that found nothing.
func (e *examination) misses(where string) {
	reasons := map[string]uint64{}
	for _, m := range e.Status.Metrics {
		if m.Name == "lookup_misses_total" && m.Labels["kind"] == "destination" {
			reasons[m.Labels["reason"]] = m.Value
		}
	}
	explained := map[string][2]string{
		"unknown":    {"nothing had been saved for the destination, or not lately", "see what is said of destinations and of times"},
		"no_session": {"all sessions of the destination were in use", "nothing: there were more deliveries at a time than sessions"},
		"dead":       {"the servers had ended the sessions", "keep sessions for a shorter time"},
	}
	for _, reason := range slices.Sorted(maps.Keys(reasons)) {
		if n := reasons[reason]; n > 0 {
			text := explained[reason]
			e.note(fmt.Sprintf("%d lookups missed, %s: %s", n, strings.ReplaceAll(reason, "_", " "), text[0]), where, text[1])
		}
	}
}

// closed is about what sessions ended of.
func (e *examination) closed(where string) {
	s := e.Status
	handed := s.Sum("handovers_total", "result", "done")
	if n := s.Sum("sessions_closed_total", "reason", "expired"); n > handed && n > 0 {
		e.note(fmt.Sprintf("%d sessions expired, and %d were used again", n, handed), where,
			"a longer connection_cache_ttl_limit and time limit may pay, where servers allow it")
	}
	if n := s.Sum("sessions_closed_total", "reason", "dead"); n > handed && n > 0 {
		e.note(fmt.Sprintf("%d sessions were ended by the servers, and %d were used again", n, handed), where, "keep sessions for a shorter time")
	}
}

// apart is about destinations whose sessions are kept apart by transport.
func (e *examination) apart() {
	by := map[string][]string{}
	for _, h := range e.Held {
		if !h.Spaced && !slices.Contains(by[h.Destination], h.Transport) {
			by[h.Destination] = append(by[h.Destination], h.Transport)
		}
	}
	for _, destination := range slices.Sorted(maps.Keys(by)) {
		if names := by[destination]; len(names) > 1 {
			slices.Sort(names)
			e.note(fmt.Sprintf("transports keep their sessions of %q apart: %s", destination, strings.Join(names, ", ")), "what the daemon holds now",
				"if they differ in nothing but syslog_name, name them in scached_name_spaces")
		}
	}
	if e.Asked == "" || e.Status == nil {
		return
	}
	held := 0
	for _, h := range e.Held {
		if bare(h.Destination) == bare(e.nexthop) && (e.by == "" || e.by == h.Transport) {
			held += h.Bindings
		}
	}
	e.note(fmt.Sprintf("%d sessions can be found for %s now", held, bare(e.nexthop)), "what the daemon holds now", "nothing")
}
