package protocol

import (
	"strconv"

	"scache/scached/cache"
)

// Counters count events since the service began, each once, in the place where
// it happens. Those of clients are counted by the server.
type Counters struct {
	Destination, Endpoint Lookups // by what was looked up
	SavedSessions         uint64
	SavedBindings         uint64
	RefreshedBindings     uint64

	HandedOver      uint64
	HandoversFailed uint64

	SessionsClosed [cache.Taken]uint64 // by cache.Reason
	Quits          [quitResults]uint64
	Requests       [requestKinds + 1][StatusFailed + 1]uint64 // by request, the last are unknown, and status

	Clients             uint64
	ClientsDisconnected [disconnections]uint64

	AgeFound, AgeExpired, AgeDead Ages
}

// Lookups are counted by their result: a hit once a session was handed over,
// or could not be, as in the reference's statistics.
type Lookups struct {
	Hits   uint64
	Misses [missReasons]uint64
}

func (l *Lookups) missed() (n uint64) {
	for _, count := range l.Misses {
		n += count
	}
	return n
}

// Why nothing was found.
const (
	missUnknown = iota // the destination has no binding
	missEmpty          // no endpoint has a session
	missDead           // only such as the remote end had ended
	missReasons
)

var missNames = [missReasons]string{"unknown", "no_session", "dead"}

// A Quit is what became of the QUIT that a session was to be sent. They are
// counted by the server.
type Quit uint8

const (
	QuitAnswered   Quit = iota
	QuitUnanswered      // until it was closed
	QuitSkipped         // not sent: the remote end had spoken, or ended the connection
	quitResults
)

var quitNames = [quitResults]string{"answered", "unanswered", "skipped"}

// A Disconnection is why the server disconnects a client.
type Disconnection uint8

const (
	DisconnectTimeout   Disconnection = iota // it took too long over a request
	DisconnectMalformed                      // it sent nothing but garbage
	DisconnectSurplus                        // it sent descriptors that nobody had asked for
	DisconnectShortage                       // descriptors are short
	DisconnectLimit                          // there are too many clients
	DisconnectMemory                         // its requests take too much memory
	disconnections
)

var disconnectionNames = [disconnections]string{"timeout", "malformed", "surplus_descriptor", "shortage", "limit", "memory"}

var closeNames = [cache.Taken]string{"expired", "dead", "limit", "shortage", "flushed", "shutdown"}

// Ages is a histogram of how old sessions were when they ended, in seconds.
type Ages struct {
	counts [len(ageBounds) + 1]uint64
	sum    uint64
}

// ageBounds are the upper bounds of the buckets, in seconds.
var ageBounds = [...]int64{0, 1, 2, 5, 10, 30, 60, 120, 300}

func (a *Ages) add(seconds int64) {
	i := 0
	for i < len(ageBounds) && seconds > ageBounds[i] {
		i++
	}
	a.counts[i]++
	a.sum += uint64(seconds)
}

// each passes all counters on, under the names that metrics have, see control.go.
func (c *Counters) each(add func(name string, value uint64)) {
	c.Destination.each("destination", add)
	c.Endpoint.each("endpoint", add)
	add(`saves_total{kind="session"}`, c.SavedSessions)
	add(`saves_total{kind="binding"}`, c.SavedBindings)
	add(`saves_total{kind="refresh"}`, c.RefreshedBindings)
	add(`handovers_total{result="done"}`, c.HandedOver)
	add(`handovers_total{result="failed"}`, c.HandoversFailed)
	for i, name := range closeNames {
		add(`sessions_closed_total{reason="`+name+`"}`, c.SessionsClosed[i])
	}
	add(`sessions_closed_total{reason="handover_failed"}`, c.HandoversFailed)
	for i, name := range quitNames {
		add(`quits_total{result="`+name+`"}`, c.Quits[i])
	}
	for i := range c.Requests {
		for status, n := range c.Requests[i] {
			add(`requests_total{request="`+requestNames[i]+`",status="`+strconv.Itoa(status)+`"}`, n)
		}
	}
	add("clients_total", c.Clients)
	for i, name := range disconnectionNames {
		add(`clients_dropped_total{reason="`+name+`"}`, c.ClientsDisconnected[i])
	}
	c.AgeFound.each("hit", add)
	c.AgeExpired.each("expired", add)
	c.AgeDead.each("dead", add)
}

func (l *Lookups) each(kind string, add func(name string, value uint64)) {
	kind = `kind="` + kind + `"`
	add(`lookups_total{`+kind+`,result="hit"}`, l.Hits)
	add(`lookups_total{`+kind+`,result="miss"}`, l.missed())
	for i, name := range missNames {
		add(`lookup_misses_total{`+kind+`,reason="`+name+`"}`, l.Misses[i])
	}
}

func (a *Ages) each(end string, add func(name string, value uint64)) {
	label, total := `end="`+end+`"`, uint64(0)
	for i, n := range a.counts {
		bound := "+Inf"
		if i < len(ageBounds) {
			bound = strconv.FormatInt(ageBounds[i], 10)
		}
		total += n
		add(`session_age_seconds_bucket{`+label+`,le="`+bound+`"}`, total)
	}
	add(`session_age_seconds_sum{`+label+`}`, a.sum)
	add(`session_age_seconds_count{`+label+`}`, total)
}
