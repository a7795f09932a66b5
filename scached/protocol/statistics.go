package protocol

import (
	"strconv"
	"time"

	"scache/scached/cache"
)

// statistics are what has happened since the last report. Domains are
// destinations, addresses are endpoints, connections are sessions.
type statistics struct {
	start                time.Time
	destination, address lookups    // then
	most                 cache.Size // the highest of each seen just after a save
}

type lookups struct{ hits, misses uint64 }

func (l *Lookups) sum() lookups { return lookups{l.Hits, l.missed()} }

func (l lookups) since(before lookups) lookups {
	return lookups{l.hits - before.hits, l.misses - before.misses}
}

// ReportStatistics logs the statistics, or nothing when there is nothing to
// log, and starts anew. The form is that of scache_status_dump in
// src/scache/scache.c.
func (s *Service) ReportStatistics(now time.Time) {
	last := &s.statistics
	destination, address := s.Counters.Destination.sum(), s.Counters.Endpoint.sum()
	domains, addresses := destination.since(last.destination), address.since(last.address)
	if domains != (lookups{}) || addresses != (lookups{}) || last.most != (cache.Size{}) {
		s.Log.Info("statistics: start interval " + last.start.Format("Jan _2 15:04:05"))
	}
	domains.report(s.Log, "domain")
	addresses.report(s.Log, "address")
	if last.most != (cache.Size{}) {
		s.Log.Info("statistics: max simultaneous domains=" + strconv.Itoa(last.most.Destinations) +
			" addresses=" + strconv.Itoa(last.most.Endpoints) + " connection=" + strconv.Itoa(last.most.Sessions))
	}
	*last = statistics{start: now, destination: destination, address: address}
}

func (l lookups) report(log Logger, what string) {
	if total := l.hits + l.misses; total > 0 {
		number := func(n uint64) string { return strconv.FormatUint(n, 10) }
		log.Info("statistics: " + what + " lookup hits=" + number(l.hits) +
			" miss=" + number(l.misses) + " success=" + number(l.hits*100/total) + "%")
	}
}

// savedDestination and savedEndpoint note the size of the cache after a save.
func (s *statistics) savedDestination(size cache.Size) {
	s.most.Destinations = max(s.most.Destinations, size.Destinations)
	s.most.Endpoints = max(s.most.Endpoints, size.Endpoints)
}

func (s *statistics) savedEndpoint(size cache.Size) {
	s.most.Endpoints = max(s.most.Endpoints, size.Endpoints)
	s.most.Sessions = max(s.most.Sessions, size.Sessions)
}
