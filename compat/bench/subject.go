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

	daemon   *master.Daemon
	keeper   *client          // of this process, for what is not measured
	clients  []*clientProcess // that put the load on it
	sessions []connection     // borrowed: what the clients save
	ttl      int              // of the clients' sessions
	filled   int              // sessions that stay
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

// start starts the daemon. There may be as many clients as there are sessions.
func (s *subject) start(ctx context.Context, o Options, sessions []connection) (err error) {
	if s.daemon, err = master.Start(ctx, s.options(o.Args)); err != nil {
		return err
	}
	s.sessions, s.ttl = sessions, o.TTL
	s.keeper, err = dial(s.daemon.Socket(), sessions[0].near)
	return err
}

// needClients starts client processes until there are n, all connected.
func (s *subject) needClients(ctx context.Context, n int) error {
	for i := len(s.clients); i < n; i++ {
		intro := introduction{Socket: s.daemon.Socket(), Name: "client" + strconv.Itoa(i), TTL: s.ttl}
		p, err := startClient(ctx, intro, s.sessions[i].near)
		if err != nil {
			return fmt.Errorf("client %d: %w", i, err)
		}
		s.clients = append(s.clients, p)
	}
	return nil
}

// stop ends the clients and the daemon, as far as they were started.
func (s *subject) stop() {
	for _, p := range s.clients {
		p.stop()
	}
	if s.keeper != nil {
		s.keeper.close()
	}
	if s.daemon != nil {
		s.daemon.Close()
	}
	*s = subject{program: s.program, reference: s.reference}
}

// fill saves sessions until there are n, each under an endpoint of its own.
// They all are the same connection: what it is makes no difference to a cache.
func (s *subject) fill(n int) error {
	for ; s.filled < n; s.filled++ {
		if err := s.keeper.play(saveEndpoint("ballast"+strconv.Itoa(s.filled), ballastTTL(s.filled))); err != nil {
			return fmt.Errorf("session %d: %w", s.filled, err)
		}
	}
	return nil
}
