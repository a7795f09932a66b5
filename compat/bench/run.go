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
	PartLoad    = "load"    // without pauses
	PartPauses  = "pauses"  // the same with pauses between two cycles
	PartQuiet   = "quiet"   // nothing happens
	PartExpiry  = "expiry"  // many sessions in one second
	PartStartup = "startup" // until the first client is served
	PartMail    = "mail"    // through Postfix, as fast as it goes
	PartPaced   = "paced"   // through Postfix, so many messages a second
)

// Parts are all of them, in the order in which they are measured.
var Parts = []string{PartLoad, PartPauses, PartQuiet, PartExpiry, PartStartup, PartMail, PartPaced}

// Options say what to measure. Scached is required.
type Options struct {
	Scached   string   // path of our daemon
	Reference string   // path of the reference; the installed one if empty
	Args      []string // arguments of our daemon, as in master.cf

	Parts    []string      // all if empty
	Sessions []int         // sizes of the cache, rising; at most 19,000
	Clients  []int         // at a time
	Rounds   int           // how often everything is measured
	Length   time.Duration // of each measurement of the load, more with long pauses

	Pauses        []time.Duration // of one client between two cycles; 0 for none
	PauseSessions []int           // sizes of the cache with pauses, rising

	Quiet time.Duration // while nothing happens
	// TTL of the sessions of the load, in seconds; that of the others is about an
	// hour. In a mail system all have the same, so that a new timer is the last one
	// to go off. A short one is the best case of a list that is sorted by time.
	TTL      int
	Messages int           // that go through Postfix as fast as they can
	Paced    time.Duration // for how long messages go through it at a pace

	Progress io.Writer // a terminal; nil for none
}

// Defaults are the options that the goals are about.
func Defaults() Options {
	return Options{
		Parts: Parts, Sessions: []int{0, 1000, 10000, 18000}, Clients: []int{1, 8, 50},
		Pauses: []time.Duration{time.Second, 200 * time.Millisecond, 20 * time.Millisecond,
			5 * time.Millisecond, time.Millisecond, 0},
		PauseSessions: []int{0, 10000},
		Rounds:        5, Length: 2 * time.Second, TTL: longestBallastTTL,
		Quiet: time.Minute, Messages: 3000, Paced: time.Minute,
	}
}

// longestPause is well below ipc_idle, after which smtp(8) disconnects.
const longestPause = 2 * time.Second

// Check tells what is wrong with the options, if anything is.
func (o *Options) Check() error {
	switch {
	case o.Rounds < 1:
		return errors.New("at least one round is needed")
	case o.TTL < 1 || o.TTL > longestBallastTTL:
		return fmt.Errorf("ttl: a number from 1 to %d is needed", longestBallastTTL)
	case o.Length <= 0 || o.Quiet <= 0 || o.Paced <= 0:
		return errors.New("a measurement takes time")
	case len(o.Clients) == 0 || slices.Min(o.Clients) < 1 || slices.Max(o.Clients) > 500:
		return errors.New("clients: numbers from 1 to 500 are needed")
	case len(o.Pauses) == 0 || slices.Min(o.Pauses) < 0 || slices.Max(o.Pauses) > longestPause:
		return fmt.Errorf("pauses: from 0 to %v", longestPause)
	}
	for _, sizes := range [][]int{o.Sessions, o.PauseSessions} {
		if len(sizes) == 0 || !slices.IsSorted(sizes) || sizes[0] < 0 {
			return errors.New("sessions: rising numbers are needed")
		}
		if slices.Max(sizes) > descriptorLimit-1000 {
			return fmt.Errorf("sessions: at most %d", descriptorLimit-1000)
		}
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
	if !canBeClient {
		return nil, errors.New("the program did not call RunClient")
	}
	if err := o.Check(); err != nil {
		return nil, err
	}
	r := &run{options: o, subjects: []*subject{{program: o.Scached}}}
	r.report = &Report{Date: time.Now(), Machine: thisMachine()}
	var err error
	if r.report.Scached, err = programAt(o.Scached); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	if err := r.findReference(); err != nil {
		return nil, err
	}
	r.progress = newProgress(o.Progress, r.estimate())
	defer r.progress.end()
	for _, part := range r.parts() {
		r.progress.begin(part.name)
		err := part.measure(ctx)
		if ctx.Err() != nil {
			err = ctx.Err() // not what came of it
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", part.name, err)
		}
	}
	r.report.judge()
	return r.report, nil
}

// A part is something that is measured, and what it takes, of one daemon in one
// round.
type part struct {
	name    string
	measure func(context.Context) error
	takes   time.Duration
}

// parts are those of the options, in their order. Both kinds of load are one:
// they share the caches that have to be filled.
func (r *run) parts() (parts []part) {
	o := &r.options
	var loads time.Duration
	for _, l := range o.loads() {
		loads += l.warmUp() + l.duration(o.Length)
	}
	add := func(included bool, p part) {
		if included {
			parts = append(parts, p)
		}
	}
	add(o.includes(PartLoad) || o.includes(PartPauses), part{PartLoad, r.load, loads})
	add(o.includes(PartQuiet), part{PartQuiet, r.quiet, (settling + o.Quiet) / time.Duration(o.Rounds)})
	add(o.includes(PartExpiry), part{PartExpiry, r.expiry, expiryFill})
	add(o.includes(PartStartup), part{PartStartup, r.startup, startupTakes})
	add(o.includes(PartMail), part{PartMail, r.mail, r.mailTakes()})
	add(o.includes(PartPaced), part{PartPaced, r.paced, o.Paced})
	return parts
}

func (r *run) findReference() (err error) {
	path := r.options.Reference
	if path == "" {
		path, err = install.ReferenceProgram()
		if errors.Is(err, install.ErrNoPostfix) {
			r.note("there is no reference to compare with: " + err.Error())
			return nil
		}
		if err != nil {
			return err
		}
	}
	r.subjects = append(r.subjects, &subject{program: path, reference: true})
	r.report.Reference, err = programAt(path)
	return err
}

func (r *run) note(text string) { r.report.Notes = append(r.report.Notes, text) }

// estimate is what the steps of the progress add up to.
func (r *run) estimate() (total time.Duration) {
	for _, p := range r.parts() {
		total += p.takes * time.Duration(r.options.Rounds*len(r.subjects))
	}
	return total
}
