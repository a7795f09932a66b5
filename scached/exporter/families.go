package exporter

import "github.com/prometheus/client_golang/prometheus"

// A family is what is known of all metrics of a name.
type family struct {
	kind prometheus.ValueType
	help string
}

// families are those that are passed on; what a later scached counts besides is
// left out. Names are those of package protocol's counters.
var families = map[string]family{
	"lookups_total":           {prometheus.CounterValue, "Lookups, by what was looked up and whether there was a session."},
	"lookup_misses_total":     {prometheus.CounterValue, "Lookups without a session, by reason."},
	"saves_total":             {prometheus.CounterValue, "What clients have saved: sessions, new bindings, and bindings that were there."},
	"handovers_total":         {prometheus.CounterValue, "Sessions that were handed over to a client, or could not be."},
	"sessions_closed_total":   {prometheus.CounterValue, "Sessions that were closed and not handed over, by reason."},
	"quits_total":             {prometheus.CounterValue, "What became of the QUIT that sessions end with, where it is on."},
	"requests_total":          {prometheus.CounterValue, "Requests, by the status that they were answered with."},
	"clients_total":           {prometheus.CounterValue, "Clients that have connected."},
	"clients_dropped_total":   {prometheus.CounterValue, "Clients that were disconnected, by reason."},
	"given_up_total":          {prometheus.CounterValue, "Sessions and bindings that were given up because of a limit."},
	"transport_lookups_total": {prometheus.CounterValue, "Lookups, by transport."},
	"transport_saves_total":   {prometheus.CounterValue, "Sessions and bindings saved, by transport."},

	"warnings_suppressed_total": {prometheus.CounterValue, "Warnings about clients that were not logged, since there were too many."},

	"transport_sessions": {prometheus.GaugeValue, "Sessions in the cache, by transport."},
	"sessions":           {prometheus.GaugeValue, "Sessions in the cache."},
	"endpoints":          {prometheus.GaugeValue, "Endpoints that have sessions."},
	"destinations":       {prometheus.GaugeValue, "Destinations that have bindings."},
	"bindings":           {prometheus.GaugeValue, "Bindings in the cache."},
	"clients":            {prometheus.GaugeValue, "Clients that are connected."},
	"descriptors":        {prometheus.GaugeValue, "Descriptors of clients and sessions that are open."},
	"closing":            {prometheus.GaugeValue, "Descriptors that are being closed."},
	"lingering":          {prometheus.GaugeValue, "Sessions that were sent QUIT and wait for the answer."},
	"memory_bytes":       {prometheus.GaugeValue, "Memory of what is in the cache and of unfinished requests, by what holds it."},
	"limit":              {prometheus.GaugeValue, "Limits, by the parameter that sets them."},
	"start_time_seconds": {prometheus.GaugeValue, "When the process began, in seconds since 1970."},
}

// ages is the histogram, which comes as three kinds of numbers.
const (
	ages     = "session_age_seconds"
	agesHelp = "How old sessions were when they ended, by how they did."
)
