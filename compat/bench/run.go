package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"scache/scached/install"
)

// The parts of a measurement.
const (
	PartLoad    = "load"
	PartExpiry  = "expiry"
	PartStartup = "startup"
	PartMail    = "mail"
)

// Parts are all of them, in the order in which they are measured.
var Parts = []string{PartLoad, PartExpiry, PartStartup, PartMail}

// Options say what to measure. Scached is required.
type Options struct {
	Scached   string   // path of our daemon
	Reference string   // path of the reference; the installed one if empty
	Args      []string // arguments of our daemon, as in master.cf

	Parts    []string      // all if empty
	Sessions []int         // sizes of the cache, rising; at most 19,000
	Clients  []int         // at a time
	Rounds   int           // how often everything is measured
	Length   time.Duration // of each measurement of the load
	// TTL of the sessions of the load, in seconds; that of the others is about an
	// hour. In a mail system all have the same, so that a new timer is the last one
	// to go off. A short one is the best case of a list that is sorted by time.
	TTL      int
	Messages int // that go through Postfix

	Progress io.Writer // a terminal; nil for none
}

// Defaults are the options that the goals are about.
func Defaults() Options {
	return Options{
		Parts: Parts, Sessions: []int{0, 1000, 10000, 18000}, Clients: []int{1, 8},
		Rounds: 5, Length: 2 * time.Second, TTL: longestBallastTTL, Messages: 3000,
	}
}

func (o *Options) check() error {
	switch {
	case o.Rounds < 1:
		return errors.New("at least one round is needed")
	case o.TTL < 1 || o.TTL > longestBallastTTL:
		return fmt.Errorf("ttl: a number from 1 to %d is needed", longestBallastTTL)
	case o.Length <= 0:
		return errors.New("a measurement takes time")
	case len(o.Sessions) == 0 || !slices.IsSorted(o.Sessions) || o.Sessions[0] < 0:
		return errors.New("sessions: rising numbers are needed")
	case slices.Max(o.Sessions) > descriptorLimit-1000:
		return fmt.Errorf("sessions: at most %d", descriptorLimit-1000)
	case len(o.Clients) == 0 || slices.Min(o.Clients) < 1 || slices.Max(o.Clients) > 500:
		return errors.New("clients: numbers from 1 to 500 are needed")
	}
	for _, part := range o.Parts {
		if !slices.Contains(Parts, part) {
			return fmt.Errorf("no such part: %s", part)
		}
	}
	return nil
}

func (o *Options) includes(part string) bool { return slices.Contains(o.Parts, part) }

// A run is one measurement.
type run struct {
	options  Options
	subjects []*subject // ours, then the reference if there is one
	report   *Report
	progress *progress
	noCalls  bool // they cannot be counted here
}

// Run measures. It takes a few minutes and wants the machine for itself. Where
// there is no reference it measures ours alone, and the report says so.
func Run(ctx context.Context, o Options) (*Report, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	r := &run{options: o, subjects: []*subject{{program: o.Scached}}}
	r.report = &Report{Date: time.Now(), Machine: thisMachine(), Scached: o.Scached, Rounds: o.Rounds, Seconds: o.Length.Seconds()}
	if err := r.findReference(); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	parts := map[string]func(context.Context) error{
		PartLoad: r.load, PartExpiry: r.expiry, PartStartup: r.startup, PartMail: r.mail,
	}
	r.progress = newProgress(o.Progress, r.estimate())
	defer r.progress.end()
	for _, part := range Parts {
		if !o.includes(part) {
			continue
		}
		r.progress.begin(part)
		err := parts[part](ctx)
		if ctx.Err() != nil {
			err = ctx.Err() // not what came of it
		}
		if err != nil {
			return nil, fmt.Errorf("bench: %s: %w", part, err)
		}
	}
	r.report.judge()
	return r.report, nil
}

func (r *run) findReference() error {
	path := r.options.Reference
	if path == "" {
		var err error
		path, err = install.ReferenceProgram()
		if errors.Is(err, install.ErrNoPostfix) {
			r.note("there is no reference to compare with: " + err.Error())
			return nil
		}
		if err != nil {
			return err
		}
	}
	r.report.Reference = path
	r.subjects = append(r.subjects, &subject{program: path, reference: true})
	return nil
}

func (r *run) note(text string) { r.report.Notes = append(r.report.Notes, text) }

// estimate is what the steps of the progress add up to.
func (r *run) estimate() time.Duration {
	o := &r.options
	var round time.Duration // of one daemon
	if o.includes(PartLoad) {
		round += time.Duration(len(o.Sessions)*len(o.Clients)) * (o.Length + warmUp)
	}
	if o.includes(PartExpiry) {
		round += expiryFill
	}
	if o.includes(PartMail) {
		round += r.mailTime()
	}
	total := round * time.Duration(o.Rounds*len(r.subjects))
	if o.includes(PartStartup) {
		total += time.Second
	}
	return total
}
