package mail

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"scache/compat/postfix"
)

// slowSink makes a run long enough for something to happen in its middle.
var slowSink = SinkOptions{Delay: 20 * time.Millisecond}

// midway waits until a run is under way, and returns the cache's process number.
func midway(p *postfix.Instance, sink *Sink) (pid int, err error) {
	if err := sink.Wait(100, deliveryPatience); err != nil {
		return 0, err
	}
	return p.WaitCache(0, patience)
}

var reloadScenario = scenario{
	name: "reload",
	// postsuper(1) meets a file that is only being made, and cleanup(8) has the
	// trouble with trivial-rewrite(8) that smtp(8) has with the reference.
	allowed: []string{"bogus file name", "problem talking to service rewrite"},
	// The reference ends with requests unread, which smtp(8) does not like.
	excused: func(r *Result, program string, at time.Time) bool {
		return program == "" && at.Sub(toldAt(r, "reload -- version")).Abs() <= time.Second
	},
	delivery: func(t *testing.T) Delivery {
		var first int
		return Delivery{
			Postfix: postfix.Options{Main: byDestination},
			Sink:    slowSink,
			Mail:    Injection{Messages: 300, Senders: 5},
			Held:    50,
			During: func(ctx context.Context, p *postfix.Instance, sink *Sink) (err error) {
				if first, err = midway(p, sink); err != nil {
					return err
				}
				return Statistics(ctx, p, sink)
			},
			After: func(ctx context.Context, p *postfix.Instance, sink *Sink) error {
				second, err := p.WaitCache(first, patience)
				if err != nil {
					return err
				}
				mark := p.Log.Mark()
				if err := Statistics(ctx, p, sink); err != nil {
					return err
				}
				for _, line := range p.Log.Since(mark) {
					if strings.HasSuffix(line.Tag, "/"+p.CacheProgram()) && line.PID != second {
						t.Errorf("after the reload another process than %d served: %s", second, line.Raw)
					}
				}
				return nil
			},
		}
	},
	check: func(t *testing.T, r *Result) {
		if n := strings.Count(strings.Join(r.Statistics, "\n"), "max simultaneous "); n < 2 {
			t.Errorf("statistics of %d processes, want 2: %q", n, r.Statistics)
		}
		if r.Connections > 150 {
			t.Errorf("%d connections for %d messages", r.Connections, r.Delivered)
		}
	},
}

var killScenario = scenario{
	name:    "kill -9",
	allowed: []string{killedBySignal},
	excused: func(r *Result, _ string, at time.Time) bool {
		return at.Sub(toldAt(r, killedBySignal)).Abs() <= time.Second
	},
	delivery: func(t *testing.T) Delivery {
		var first int
		return Delivery{
			Postfix: postfix.Options{Main: byDestination},
			Sink:    slowSink,
			Mail:    Injection{Messages: 300, Senders: 5},
			Held:    50,
			During: func(ctx context.Context, p *postfix.Instance, sink *Sink) (err error) {
				if first, err = midway(p, sink); err != nil {
					return err
				}
				return syscall.Kill(first, syscall.SIGKILL)
			},
			After: func(ctx context.Context, p *postfix.Instance, sink *Sink) error {
				if _, err := p.WaitCache(first, patience); err != nil {
					return err
				}
				return Statistics(ctx, p, sink)
			},
		}
	},
	check: func(t *testing.T, r *Result) {
		if toldAt(r, killedBySignal).IsZero() {
			t.Error("master(8) did not see the daemon killed")
		}
		if n := count(r.Lines, "throttling"); n > 0 {
			t.Error("master(8) takes a daemon that has served for one that cannot start")
		}
		if !strings.Contains(strings.Join(r.Statistics, "\n"), "max simultaneous ") {
			t.Errorf("no statistics of the second process: %q", r.Statistics)
		}
	},
}

const killedBySignal = "killed by signal 9"

// toldAt is when the log first said so.
func toldAt(r *Result, text string) time.Time {
	for _, line := range r.Lines {
		if strings.Contains(line.Text, text) {
			return line.At
		}
	}
	return time.Time{}
}
