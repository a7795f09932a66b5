package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"scache/compat/mail"
	"scache/compat/postfix"
	"scache/scached/install"
)

const (
	// senders is how many connections mail comes in over.
	senders = 8
	// mailRate is about how many messages a second go through when nothing holds
	// them back, for the progress.
	mailRate = 300
	// mailPace is how many a second go through when something does.
	mailPace = 60
	// cachePatience is how long a cache daemon may take to be found: there is one.
	cachePatience = time.Second
)

// A Mail is what came of messages that went through a private Postfix, all of
// them to a destination whose connections are cached.
type Mail struct {
	Messages int     `json:"messages"`
	Pace     int     `json:"pace"` // messages a second at most; 0 for no limit
	Rate     *Metric `json:"messages_per_second"`
	// What the cache daemon used from its start on, by message.
	CPU      *Metric `json:"cpu_per_message"`
	Switches *Metric `json:"context_switches_per_message"`
}

func newMail(messages, pace int) *Mail {
	return &Mail{
		Messages: messages, Pace: pace,
		Rate:     &Metric{Name: "messages a second", Unit: "/s"},
		CPU:      &Metric{Name: "CPU of the cache a message", Unit: "µs"},
		Switches: &Metric{Name: "its context switches a message"},
	}
}

func (m *Mail) String() string {
	if m.Pace > 0 {
		return fmt.Sprintf("%d messages through Postfix, %d a second", m.Messages, m.Pace)
	}
	return fmt.Sprintf("%d messages through Postfix, as fast as they go", m.Messages)
}

func (m *Mail) metrics() []*Metric { return []*Metric{m.Rate, m.CPU, m.Switches} }

// mail measures how fast Postfix delivers.
func (r *run) mail(ctx context.Context) error {
	r.report.Mail = newMail(r.options.Messages, 0)
	return r.deliverAll(ctx, r.report.Mail, r.mailTakes())
}

func (r *run) mailTakes() time.Duration {
	return time.Duration(r.options.Messages) * time.Second / mailRate
}

// paced measures what the cache uses at a rate that mail systems have.
func (r *run) paced(ctx context.Context) error {
	messages := int(r.options.Paced.Seconds() * mailPace)
	r.report.Paced = newMail(max(messages, 1), mailPace)
	return r.deliverAll(ctx, r.report.Paced, r.options.Paced)
}

func (r *run) deliverAll(ctx context.Context, m *Mail, takes time.Duration) error {
	for round := range r.options.Rounds {
		for _, s := range r.inTurn(round) {
			err := r.deliver(ctx, m, s)
			if errors.Is(err, install.ErrNoPostfix) {
				r.note("no mail was sent: " + err.Error())
				return nil
			}
			if err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
			r.progress.step(takes)
		}
	}
	return nil
}

func (r *run) deliver(ctx context.Context, m *Mail, s *subject) error {
	var used consumption
	d := mail.Delivery{
		Postfix: postfix.Options{Main: []string{
			"smtp_connection_cache_on_demand = no",
			"smtp_connection_cache_destinations = static:all",
		}},
		Mail: mail.Injection{Messages: m.Messages, Senders: senders, Pace: m.Pace},
		After: func(_ context.Context, p *postfix.Instance, _ *mail.Sink) error {
			pid, err := p.WaitCache(0, cachePatience)
			if err == nil {
				used, err = consumed(pid)
			}
			return err
		},
	}
	if !s.reference {
		d.Postfix.Cache, d.Postfix.CacheArgs = s.program, r.options.Args
	}
	result, err := d.Run(ctx)
	if err != nil {
		return err
	}
	if result.Delivered != m.Messages {
		return fmt.Errorf("%d of %d messages delivered", result.Delivered, m.Messages)
	}
	if result.Reused == 0 {
		return errors.New("no connection was used again")
	}
	messages := float64(m.Messages)
	m.Rate.add(s, messages/result.Took.Seconds())
	m.CPU.add(s, micro(used.cpu)/messages)
	m.Switches.add(s, float64(used.switches)/messages)
	return nil
}
