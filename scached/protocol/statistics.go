package protocol

import (
	"strconv"
	"time"

	"scache/scached/cache"
)

// Statistics count since the last report. Domains are destinations, addresses
// are endpoints, connections are sessions.
type Statistics struct {
	start                time.Time
	destination, address lookups
	most                 cache.Size // the highest of each seen just after a save
}

type lookups struct{ hits, misses int }

// Report logs the statistics, or nothing when there is nothing to log, and
// starts anew. The form is that of scache_status_dump in src/scache/scache.c.
func (s *Statistics) Report(log Logger, now time.Time) {
	if *s != (Statistics{start: s.start}) {
		log.Info("statistics: start interval " + s.start.Format("Jan _2 15:04:05"))
	}
	s.destination.report(log, "domain")
	s.address.report(log, "address")
	if s.most != (cache.Size{}) {
		log.Info("statistics: max simultaneous domains=" + strconv.Itoa(s.most.Destinations) +
			" addresses=" + strconv.Itoa(s.most.Endpoints) + " connection=" + strconv.Itoa(s.most.Sessions))
	}
	*s = Statistics{start: now}
}

func (l lookups) report(log Logger, what string) {
	if total := l.hits + l.misses; total > 0 {
		log.Info("statistics: " + what + " lookup hits=" + strconv.Itoa(l.hits) +
			" miss=" + strconv.Itoa(l.misses) + " success=" + strconv.Itoa(l.hits*100/total) + "%")
	}
}

// savedDestination and savedEndpoint note the size of the cache after a save.
func (s *Statistics) savedDestination(size cache.Size) {
	s.most.Destinations = max(s.most.Destinations, size.Destinations)
	s.most.Endpoints = max(s.most.Endpoints, size.Endpoints)
}

func (s *Statistics) savedEndpoint(size cache.Size) {
	s.most.Endpoints = max(s.most.Endpoints, size.Endpoints)
	s.most.Sessions = max(s.most.Sessions, size.Sessions)
}
