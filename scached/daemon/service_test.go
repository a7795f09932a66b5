package daemon

import "time"

// testSettings are the parameters of a service like scache(8), so that the
// reference can be asked about them, and one of each kind besides.
type testSettings struct {
	ttl, period time.Duration
	kind        string
	check       bool
	clients     int
}

func (s *testSettings) service() Service {
	return Service{
		File: "own.cf", Solitary: true, Local: true,
		Parameters: []Parameter{
			{Name: "connection_cache_ttl_limit", Default: "2s", Target: &s.ttl, Min: 1},
			{Name: "connection_cache_status_update_time", Default: "600s", Target: &s.period, Min: 1},
			{Name: "test_kind", Default: "one", Target: &s.kind, OneOf: []string{"one", "two", "three"}},
			{Name: "test_check", Default: "yes", Target: &s.check, When: func() bool { return s.kind != "three" }},
			{Name: "test_clients", Default: "100", Target: &s.clients, Min: 10, Unit: "clients"},
		},
	}
}

func testService() Service { return new(testSettings).service() }
