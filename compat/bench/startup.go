package bench

import (
	"context"
	"fmt"
	"os"
	"time"

	"scache/compat/master"
)

// starts is how often a daemon is started in a round.
const starts = 3

// startupTakes is about how long that takes.
const startupTakes = 100 * time.Millisecond

// startup measures the time from the start of the process to its greeting, to
// a client that was waiting already.
func (r *run) startup(ctx context.Context) error {
	r.report.Startup = &Metric{Name: "start to greeting", Unit: "ms"}
	for range r.options.Rounds * starts {
		for _, s := range r.subjects {
			took, err := startOnce(ctx, s, r.options.Args)
			if err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
			r.report.Startup.add(s, milli(took))
			r.progress.step(startupTakes / starts)
		}
	}
	return r.size()
}

func startOnce(ctx context.Context, s *subject, args []string) (time.Duration, error) {
	o := s.options(args)
	o.NoFile = 0 // it takes a shell to set that
	daemon, err := master.Start(ctx, o)
	if err != nil {
		return 0, err
	}
	defer daemon.Close()
	c, err := dial(daemon.Socket(), -1)
	if err != nil {
		return 0, err
	}
	took := time.Since(daemon.Started)
	c.close()
	return took, nil
}

// size looks at the programs themselves. Libraries that the reference shares
// with other programs do not count.
func (r *run) size() error {
	r.report.Size = &Metric{Name: "program", Unit: "MB"}
	for _, s := range r.subjects {
		info, err := os.Stat(s.program)
		if err != nil {
			return err
		}
		r.report.Size.add(s, float64(info.Size())/1e6)
	}
	return nil
}
