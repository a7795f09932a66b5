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

// senders is how many connections mail comes in over.
const senders = 8

// mailPace is about how many messages a second go through, for the progress.
const mailPace = 300

// mail measures how fast a private Postfix delivers, all of it to a
// destination whose connections are cached.
func (r *run) mail(ctx context.Context) error {
	r.report.Mail = &Metric{Name: fmt.Sprintf("messages through Postfix (%d)", r.options.Messages), Unit: "/s"}
	for range r.options.Rounds {
		for _, s := range r.subjects {
			rate, err := r.deliver(ctx, s)
			if errors.Is(err, install.ErrNoPostfix) {
				r.note("no mail was sent: " + err.Error())
				return nil
			}
			if err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
			r.report.Mail.add(s, rate)
			r.progress.step(r.mailTime())
		}
	}
	return nil
}

func (r *run) mailTime() time.Duration {
	return time.Duration(r.options.Messages) * time.Second / mailPace
}

func (r *run) deliver(ctx context.Context, s *subject) (rate float64, err error) {
	d := mail.Delivery{
		Postfix: postfix.Options{Main: []string{
			"smtp_connection_cache_on_demand = no",
			"smtp_connection_cache_destinations = static:all",
		}},
		Mail: mail.Injection{Messages: r.options.Messages, Senders: senders},
	}
	if !s.reference {
		d.Postfix.Cache, d.Postfix.CacheArgs = s.program, r.options.Args
	}
	result, err := d.Run(ctx)
	if err != nil {
		return 0, err
	}
	if result.Delivered != r.options.Messages {
		return 0, fmt.Errorf("%d of %d messages delivered", result.Delivered, r.options.Messages)
	}
	if result.Reused == 0 {
		return 0, errors.New("no connection was used again")
	}
	return float64(result.Delivered) / result.Took.Seconds(), nil
}
