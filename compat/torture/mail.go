package torture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"scache/compat/mail"
	"scache/compat/master"
	"scache/compat/postfix"
	"scache/compat/wire"
	"scache/scached/install"
)

// cachedByDestination makes smtp(8) cache every session under its destination.
var cachedByDestination = []string{
	"smtp_connection_cache_on_demand = no",
	"smtp_connection_cache_destinations = static:all",
}

// KilledMail sends messages through a private Postfix whose cache daemon is
// killed again and again, with pauses of random length. It returns how often
// that was, too. A program of "" is the reference.
func KilledMail(ctx context.Context, program string, messages int) (result *mail.Result, kills int, err error) {
	delivery := mail.Delivery{
		Postfix: postfix.Options{Cache: program, Main: cachedByDestination},
		Sink:    mail.SinkOptions{Delay: 10 * time.Millisecond},
		Mail:    mail.Injection{Messages: messages, Senders: 5},
		During: func(ctx context.Context, p *postfix.Instance, sink *mail.Sink) (err error) {
			kills, err = killUntil(ctx, p, func() bool {
				_, delivered := sink.Count()
				return delivered >= messages
			})
			return err
		},
	}
	result, err = delivery.Run(ctx)
	return result, kills, err
}

// SoakMail is [KilledMail] for a user, who is told what came of it. It is an
// error when a message was lost, or delivered twice.
func SoakMail(ctx context.Context, program string, messages int, out io.Writer) error {
	r, kills, err := KilledMail(ctx, program, messages)
	if errors.Is(err, install.ErrNoPostfix) {
		fmt.Fprintln(out, "no mail was sent:", err)
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "mail: %d of %d messages delivered in %v, over %d connections, while the daemon was killed %d times; %d lost, %d delivered more than once\n",
		r.Delivered, messages, r.Took.Round(time.Second), r.Connections, kills, len(r.Lost), len(r.Duplicates))
	if r.Delivered != messages || len(r.Lost)+len(r.Duplicates) > 0 {
		return errors.New("mail did not get through as it should")
	}
	return nil
}

// killTime is how long the daemons are killed at most: mail that does not get
// through by then is what the caller wants to hear of.
const killTime = 3 * time.Minute

func killUntil(ctx context.Context, p *postfix.Instance, done func() bool) (kills int, err error) {
	pid := 0
	for deadline := time.Now().Add(killTime); !done() && ctx.Err() == nil && time.Now().Before(deadline); kills++ {
		// A request makes master(8) start one, even when smtp(8) has given up on the
		// cache. And it would start no other one for a minute if this one was
		// killed before it had served anybody.
		if err := serves(p); err != nil {
			return kills, err
		}
		if pid, err = p.WaitCache(pid, mailPatience); err != nil {
			return kills, err
		}
		// It takes master(8) a turn of its loop to read each status record, and it
		// is busy; a daemon that it has not heard of is one that never served.
		pause(ctx, 100*time.Millisecond+time.Duration(rand.Int64N(int64(300*time.Millisecond))))
		if err := unix.Kill(pid, unix.SIGKILL); err != nil && err != unix.ESRCH {
			return kills, fmt.Errorf("kill process %d: %w", pid, err)
		}
	}
	return kills, nil
}

const mailPatience = time.Minute

// serves waits until the instance's cache daemon has answered a request.
func serves(p *postfix.Instance) error {
	c, err := wire.DialGreeted(p.CacheSocket(), mailPatience)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Ask(wire.FindEndpoint("nothing"), wire.Missed)
}

// A StaleMail is what became of mail whose sessions the server closes while they
// are in the cache.
type StaleMail struct {
	postfix.Tally
	Delivered   int
	Connections int
	Hits        int           // sessions that the cache says it has found
	Lost        []string      // what smtp(8) logs of connections that were lost
	Slowest     time.Duration // message, as smtp(8) reports it
}

// StaleSessions sends messages one by one through a private Postfix. Before
// every other one so much time passes that the server has closed the SMTP session by
// then, while it is still in the cache. The cache's statistics are to show what
// smtp(8) could use.
func StaleSessions(ctx context.Context, program string, messages int) (*StaleMail, error) {
	const idle = 700 * time.Millisecond
	sink, err := mail.StartSink(mail.SinkOptions{IdleTimeout: idle})
	if err != nil {
		return nil, err
	}
	defer sink.Close()
	main := append([]string{"relayhost = " + sink.NextHop()}, cachedByDestination...)
	p, err := postfix.Start(ctx, postfix.Options{Cache: program, Main: main})
	if err != nil {
		return nil, err
	}
	defer p.Close()
	for i := range messages {
		if err := deliverOne(ctx, p, sink, i+1); err != nil {
			return nil, fmt.Errorf("%w; the log ends:\n%s", err, p.Log.Tail(0, 50))
		}
		if i%2 == 1 {
			pause(ctx, 2*idle)
		}
	}
	if err := mail.Statistics(ctx, p, sink); err != nil {
		return nil, err
	}
	if err := p.Stop(); err != nil {
		return nil, err
	}
	stale := &StaleMail{Tally: postfix.TallyOf(p.Log.Lines(), p.CacheProgram())}
	stale.Connections, stale.Delivered = sink.Count()
	stale.read(p.Log.Lines())
	return stale, nil
}

// deliverOne sends a message, and waits until smtp(8) is done with it: until
// then it has not cached the SMTP session. It is the n'th.
func deliverOne(ctx context.Context, p *postfix.Instance, sink *mail.Sink, n int) error {
	if err := mail.Inject(ctx, p.SMTPD, mail.Injection{Messages: 1}); err != nil {
		return err
	}
	if err := sink.Wait(n, mailPatience); err != nil {
		return err
	}
	if !eventually(mailPatience, func() bool { return p.Tally().Sent >= n }) {
		return fmt.Errorf("message %d was not reported", n)
	}
	return nil
}

// read takes what is wanted from a log.
func (m *StaleMail) read(lines []master.LogLine) {
	for _, line := range m.Statistics {
		hits := 0
		if n, _ := fmt.Sscanf(line, "domain lookup hits=%d", &hits); n == 0 {
			fmt.Sscanf(line, "address lookup hits=%d", &hits)
		}
		m.Hits += hits
	}
	for _, line := range lines {
		if !strings.HasSuffix(line.Tag, "/smtp") {
			continue
		}
		if strings.Contains(line.Text, "lost connection") || strings.Contains(line.Text, "conversation with") {
			m.Lost = append(m.Lost, line.Text)
		}
		if _, rest, ok := strings.Cut(line.Text, " delay="); ok {
			seconds := 0.0
			fmt.Sscanf(rest, "%f", &seconds)
			m.Slowest = max(m.Slowest, time.Duration(seconds*float64(time.Second)))
		}
	}
}
