package bench

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

const (
	// expiring is how many sessions are due in the same second.
	expiring = 10_000
	// expiryFill is how long it may take to save them.
	expiryFill = 10 * time.Second
	// expiryMargin is for how long before and after that second there is load.
	expiryMargin = 500 * time.Millisecond
	// expiryPatience is how long after that all of them are gone, and those of
	// the load.
	expiryPatience = 5 * time.Second
)

// expiry measures the longest cycle of a client while sessions expire. Unlike
// the sessions that only fill a cache these are connections of their own, and
// nobody else has them open: to close them is the work that it is in earnest.
func (r *run) expiry(ctx context.Context) error {
	r.report.Expiry = &Metric{Name: fmt.Sprintf("longest cycle, %d expire", expiring), Unit: "ms"}
	for round := range r.options.Rounds {
		for _, s := range r.inTurn(round) {
			longest, err := r.expireAll(ctx, s)
			if err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
			r.report.Expiry.add(s, milli(longest))
			r.progress.step(expiryFill)
		}
	}
	return nil
}

func (r *run) expireAll(ctx context.Context, s *subject) (longest time.Duration, err error) {
	own, err := connect(1)
	if err != nil {
		return 0, err
	}
	defer disconnect(own)
	defer s.stop()
	if err := s.start(ctx, r.options, own); err != nil {
		return 0, err
	}
	if err := s.needClients(ctx, 1); err != nil {
		return 0, err
	}
	links, err := s.daemon.Descriptors()
	if err != nil {
		return 0, err
	}
	due := time.Now().Add(expiryFill).Truncate(time.Second)
	far, err := s.saveDue(expiring, due)
	defer func() { disconnect(far) }()
	if err != nil {
		return 0, err
	}
	select {
	case <-time.After(time.Until(due) - expiryMargin):
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	// The last of them are due a second later if the clock of the daemon is
	// a little behind.
	tallies, err := play([]*subject{s}, load{Clients: 1}, time.Second+2*expiryMargin)
	if err != nil {
		return 0, err
	}
	// One descriptor more may be there: the load's.
	if err := s.daemon.WaitDescriptors(len(links), expiryPatience); err != nil {
		return 0, err
	}
	return tallies[0].longestCycle(), nil
}

// saveDue saves n connections that are due at that second, and leaves them to
// the daemon.
func (s *subject) saveDue(n int, due time.Time) (far []connection, err error) {
	c := s.keeper
	defer func(session int) { c.session = session }(c.session)
	for i := range n {
		ttl := int(due.Unix() - time.Now().Unix())
		if ttl < 2 {
			return far, fmt.Errorf("only %d sessions saved in time", i)
		}
		one, err := connect(1)
		if err != nil {
			return far, err
		}
		c.session = one[0].near
		err = c.play(saveEndpoint("expiring"+strconv.Itoa(i), ttl))
		one[0].leave()
		far = append(far, one[0])
		if err != nil {
			return far, fmt.Errorf("session %d: %w", i, err)
		}
	}
	return far, nil
}
