package mail

import (
	"context"
	"errors"
	"fmt"
	"time"

	"scache/compat/master"
	"scache/compat/postfix"
)

// A Delivery is mail that goes through a private Postfix to a sink.
type Delivery struct {
	Postfix postfix.Options
	Sink    SinkOptions
	Mail    Injection

	// Configure completes the options of Postfix with what only a running
	// sink can tell. If nil, all mail is relayed to the sink.
	Configure func(o *postfix.Options, sink *Sink)

	// During, if not nil, runs while the mail is on its way.
	During func(ctx context.Context, p *postfix.Instance, sink *Sink) error
	// Held is how many of the messages are submitted only when During has
	// returned, so that there is something left to deliver then.
	Held int
	// After, if not nil, runs when all mail has been delivered, before the
	// instance is stopped.
	After func(ctx context.Context, p *postfix.Instance, sink *Sink) error
}

// A Result is what came of a [Delivery].
type Result struct {
	postfix.Tally
	Lost        []string // subjects of messages that the sink never saw
	Duplicates  []string // subjects of messages that it saw more than once
	Unexpected  []string // subjects of messages that nobody sent to it
	Delivered   int      // different messages that it saw
	Connections int      // TCP connections that it saw
	Sessions    []SinkSession
	Lines       []master.LogLine // the whole log, that of the stop included
	Took        time.Duration
}

// patience is how long an instance may take to do as it is told.
const patience = 30 * time.Second

const deliveryPatience = time.Minute

// Run sends the mail, waits until it has been delivered, and stops Postfix,
// leaving nothing behind. An error is something that kept it from doing so;
// messages lost on the way are in the result.
func (d Delivery) Run(ctx context.Context) (result *Result, err error) {
	sink, err := StartSink(d.Sink)
	if err != nil {
		return nil, err
	}
	defer sink.Close()
	o := d.Postfix
	if d.Configure != nil {
		d.Configure(&o, sink)
	} else {
		o.Main = append(o.Main[:len(o.Main):len(o.Main)], "relayhost = "+sink.NextHop())
	}
	p, err := postfix.Start(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	start := time.Now()
	if err := d.send(ctx, p, sink); err != nil {
		return nil, fmt.Errorf("%w; the log ends:\n%s", err, p.Log.Tail(0, 50))
	}
	took := time.Since(start)
	if d.After != nil {
		if err := d.After(ctx, p, sink); err != nil {
			return nil, fmt.Errorf("%w; the log ends:\n%s", err, p.Log.Tail(0, 50))
		}
	}
	if err := p.Stop(); err != nil {
		return nil, err
	}
	result = newResult(d.Mail.Messages, sink)
	result.Took = took
	result.Lines = p.Log.Lines()
	result.Tally = postfix.TallyOf(result.Lines, p.CacheProgram())
	return result, nil
}

// send submits the mail and waits for smtp(8)'s reports, which come a moment
// after the sink has seen the messages.
func (d Delivery) send(ctx context.Context, p *postfix.Instance, sink *Sink) error {
	during := make(chan error, 1)
	go func() {
		if d.During == nil {
			during <- nil
			return
		}
		during <- d.During(ctx, p, sink)
	}()
	mail, held := d.Mail, d.Mail
	mail.Messages -= d.Held
	held.First, held.Messages = mail.First+mail.Messages, d.Held
	err := Inject(ctx, p.SMTPD, mail)
	if err := errors.Join(err, <-during); err != nil {
		return err
	}
	if err := Inject(ctx, p.SMTPD, held); err != nil {
		return err
	}
	if err := sink.Wait(d.Mail.Messages, deliveryPatience); err != nil {
		return err
	}
	if !master.WaitUntil(deliveryPatience, func() bool { return p.Tally().Sent >= d.Mail.Messages }) {
		return fmt.Errorf("smtp reports %d deliveries, not %d", p.Tally().Sent, d.Mail.Messages)
	}
	return nil
}

func newResult(messages int, sink *Sink) *Result {
	r := &Result{Sessions: sink.Sessions()}
	r.Connections = len(r.Sessions)
	seen := make(map[string]int)
	for _, message := range sink.Messages() {
		seen[message.Subject]++
	}
	for i := range messages {
		switch name := subject(i); seen[name] {
		case 0:
			r.Lost = append(r.Lost, name)
		case 1:
			r.Delivered++
		default:
			r.Delivered++
			r.Duplicates = append(r.Duplicates, name)
		}
		delete(seen, subject(i))
	}
	for name := range seen {
		r.Unexpected = append(r.Unexpected, name)
	}
	return r
}

// Statistics makes the cache daemon log its statistics, by a reload, and
// waits for them. It is for a Delivery's After: at "postfix stop" the
// reference logs none.
func Statistics(ctx context.Context, p *postfix.Instance, _ *Sink) error {
	mark := p.Log.Mark()
	if err := p.Reload(ctx); err != nil {
		return err
	}
	_, err := p.Log.WaitSince(mark, "statistics: max simultaneous ", patience)
	return err
}
