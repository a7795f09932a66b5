package bench

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"scache/compat/master"
)

// descriptorLimit is what each daemon may open: enough for the largest cache.
const descriptorLimit = 20000

// Sessions that only make the cache large stay for this long, in seconds: longer
// than a round takes. The order in which they are due is not the one in which
// they were saved, and so lie in memory: a list of them is as scattered as in a
// cache that has been in use for a while.
const (
	shortestBallastTTL = 3000
	longestBallastTTL  = 3600
)

func ballastTTL(i int) int {
	const scatter = 7919 // a prime: neighbours are far apart
	return longestBallastTTL - i*scatter%(longestBallastTTL-shortestBallastTTL)
}

// A subject is a daemon that is measured.
type subject struct {
	program   string
	reference bool

	daemon  *master.Daemon
	clients []*client
	filled  int // sessions that stay
}

func (s *subject) name() string {
	if s.reference {
		return "reference"
	}
	return "ours"
}

func (s *subject) String() string { return s.name() }

// options are those of a daemon as it runs in a mail system, except that
// sessions may stay for longer and nothing ends it.
func (s *subject) options(args []string) master.Options {
	root := os.Getuid() == 0 // or else it cannot do what master(8) lets it do
	o := master.Options{
		Program: s.program, Chroot: root, Unprivileged: root, NoFile: descriptorLimit,
		Args: []string{"-o", "connection_cache_ttl_limit=" + strconv.Itoa(longestBallastTTL) + "s", "-o", "max_idle=3600s"},
	}
	if !s.reference {
		o.Args = append(o.Args, args...)
	}
	return o
}

// start starts the daemon and connects clients, whose sessions are the given
// ones.
func (s *subject) start(ctx context.Context, o Options, sessions []connection) (err error) {
	if s.daemon, err = master.Start(ctx, s.options(o.Args)); err != nil {
		return err
	}
	for i, session := range sessions {
		c, err := s.connect(session.near)
		if err != nil {
			return fmt.Errorf("client %d: %w", i, err)
		}
		c.steps = cycle("client"+strconv.Itoa(i), o.TTL)
		s.clients = append(s.clients, c)
	}
	return nil
}

// connect borrows the SMTP session.
func (s *subject) connect(session int) (*client, error) {
	fd, err := s.daemon.Dial()
	if err != nil {
		return nil, err
	}
	return newClient(fd, session)
}

// stop ends the daemon, if it was started.
func (s *subject) stop() {
	for _, c := range s.clients {
		c.close()
	}
	if s.daemon != nil {
		s.daemon.Close()
	}
	*s = subject{program: s.program, reference: s.reference}
}

// fill saves sessions until there are n, each under an endpoint of its own.
// They all are the same connection: what it is makes no difference to a cache.
func (s *subject) fill(n int) error {
	c := s.clients[0]
	defer func(steps []step) { c.steps = steps }(c.steps)
	for ; s.filled < n; s.filled++ {
		if err := c.play(saveEndpoint("ballast"+strconv.Itoa(s.filled), ballastTTL(s.filled))); err != nil {
			return fmt.Errorf("session %d: %w", s.filled, err)
		}
	}
	return nil
}
