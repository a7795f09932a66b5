package diff

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"scache/scached/install"
	"scache/scached/protocol"
)

// Programs are the daemons to compare. Without a Reference, and where that does
// not speak the dialect of a transcript, ours is compared with what is on record.
type Programs struct {
	Reference, Ours string
	Dialect         string // of the reference; empty for its version's, or else the newest

	// version is the mail_version of the reference, where that is known.
	version string
	// plainLog tells that the reference logs no UTF-8 (see examine).
	plainLog bool
}

// examine finds out which version the reference is, and whether it logs UTF-8 as
// it is when it is told to. Some versions do, in some locales.
func (p *Programs) examine(ctx context.Context) (err error) {
	if p.Reference == "" {
		return nil
	}
	if p.version, err = versionOf(p.Reference, p.Dialect); err != nil {
		return err
	}
	if dialect, err := install.DialectOf(p.version); err == nil && p.Dialect == "" && dialect != protocol.Current.Version {
		p.Dialect = dialect
	}
	t, err := Start(ctx, "reference", p.Reference, Setup{UTF8: true})
	if err != nil {
		return err
	}
	defer t.Close()
	results, err := Play(&Transcript{Steps: []Step{
		{Do: Connect},
		{Do: Send, Data: []byte("request\x00\xc3\xa9\x00\x00")},
	}}, t)
	if err != nil {
		return err
	}
	p.plainLog = !strings.Contains(strings.Join(results[0].Log, "\n"), "\xc3\xa9")
	return nil
}

// suits tells whether transcripts of a setup can be played to the reference.
func (p *Programs) suits(setup Setup) bool {
	return p.Reference != "" && p.Dialect == setup.Dialect && !(setup.UTF8 && p.plainLog)
}

// A pair is one daemon of each kind, started alike.
type pair struct {
	reference *Target // nil if there is none
	version   string  // of the reference
	ours      *Target
	played    []*Transcript // to it, if they are random ones
}

// start starts both daemons, on a processor that the goroutine has taken, if not nil.
func (p Programs) start(ctx context.Context, on *processor, setup Setup) (*pair, error) {
	ours, err := startOn(ctx, on, "ours", p.Ours, setup)
	if err != nil {
		return nil, err
	}
	pair := &pair{ours: ours, version: p.version}
	if !p.suits(setup) {
		return pair, nil
	}
	if pair.reference, err = startOn(ctx, on, "reference", p.Reference, setup); err != nil {
		ours.Close()
		return nil, err
	}
	return pair, nil
}

func (p *pair) close() {
	if p.reference != nil {
		p.reference.Close()
	}
	p.ours.Close()
}

func (p *pair) targets() []*Target {
	if p.reference == nil {
		return []*Target{p.ours}
	}
	return []*Target{p.reference, p.ours}
}

// startup compares what was logged before the first client came.
func (p *pair) startup() []Difference {
	if p.reference == nil || slices.Equal(p.reference.startup, p.ours.startup) {
		return nil
	}
	return []Difference{{What: "log at start", Reference: strings.Join(p.reference.startup, "\n"), Ours: strings.Join(p.ours.startup, "\n")}}
}

// A comparison is what came of a transcript.
type comparison struct {
	transcript      *Transcript // as it was played
	reference, ours *Result
	differences     []Difference
	usable          bool // the daemons can go on with another one
}

// compare plays a transcript to the pair. What is on record counts as the
// reference where there is none; where there is one, ours has to keep to both.
func (p *pair) compare(t *Transcript, label labeler) (*comparison, error) {
	results, err := play(t, label, p.targets())
	if err != nil {
		return nil, err
	}
	return p.compareResults(t, results)
}

func (p *pair) compareResults(t *Transcript, results []*Result) (*comparison, error) {
	c := &comparison{ours: results[len(results)-1], usable: true}
	for _, r := range results {
		c.usable = c.usable && r.Alive
	}
	switch {
	case p.reference != nil:
		c.reference = results[0]
		c.reference.Version = p.version
	case t.Recorded != nil:
		c.reference = t.Recorded
	default:
		return nil, fmt.Errorf("%s: nothing is on record", t.Name)
	}
	c.differences = Compare(t, c.reference, c.ours)
	c.usable = c.usable && servedAlike(c.differences)
	if p.reference != nil && t.Recorded != nil {
		for _, d := range Compare(t, t.Recorded, c.ours) {
			if d.What += " on record"; !slices.ContainsFunc(c.differences, d.sameThing) {
				c.differences = append(c.differences, d)
			}
		}
	}
	return c, nil
}

// sameThing tells whether the difference is known from a living reference.
func (d Difference) sameThing(live Difference) bool {
	return d.Step == live.Step && d.What == live.What+" on record" && d.Name == live.Name
}

// freshly plays a transcript to daemons that were started for it. If the machine
// is too busy it does so again, up to the given number of times in all; after that
// the error is ErrLate.
func (p Programs) freshly(ctx context.Context, t *Transcript, times int) (*comparison, error) {
	for try := 1; ; try++ {
		pair, err := p.start(ctx, nil, t.Setup)
		if err != nil {
			return nil, err
		}
		c, err := pair.compare(t, labeler{})
		if err = errors.Join(err, ctx.Err()); err == nil { // the end of ctx is that of the daemons
			c.transcript = t
			c.differences = append(pair.startup(), c.differences...)
		}
		pair.close()
		if !errors.Is(err, ErrLate) || try >= times || ctx.Err() != nil {
			return c, err
		}
		if t.slower != nil {
			if t, err = t.slower(); err != nil {
				return nil, err
			}
		}
	}
}

// retire ends both daemons and compares the statistics that they log: they have
// had the same clients.
func (p *pair) retire() []Difference {
	defer p.close()
	if p.reference == nil {
		return nil
	}
	var ends [2]string
	for i, t := range p.targets() {
		how := t.end(HangUp)
		ends[i] = strings.Join(append(withoutOwnLines(normalize(t.texts())), how), "\n")
	}
	if ends[0] == ends[1] {
		return nil
	}
	return []Difference{{What: "statistics", Reference: ends[0], Ours: ends[1]}}
}
