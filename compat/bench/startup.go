package bench

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"scache/compat/master"
)

const (
	// starts is how often a daemon is started in a round.
	starts = 3
	// startupTakes is about how long that takes.
	startupTakes = 100 * time.Millisecond
)

// A Startup is the time from the start of the process to what others wait for,
// with a client that is connected already and has sent its request. Until the
// first record, which comes with that request, a master believes that a daemon
// that ends is broken, and does not start another one for a minute.
type Startup struct {
	Record   *Metric `json:"first_record"`
	Greeting *Metric `json:"greeting"`
	CPU      *Metric `json:"cpu"` // until the request is answered
}

func (s *Startup) metrics() []*Metric { return []*Metric{s.Record, s.Greeting, s.CPU} }

// startup starts daemons, again and again and in turn.
func (r *run) startup(ctx context.Context) error {
	r.report.Startup = &Startup{
		Record:   &Metric{Name: "start to the first record for master(8)", Unit: "ms"},
		Greeting: &Metric{Name: "start to greeting", Unit: "ms"},
		CPU:      &Metric{Name: "CPU of a start and one request", Unit: "ms"},
	}
	for range r.options.Rounds * starts {
		for _, s := range r.subjects {
			if err := r.startOnce(ctx, s); err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
			r.progress.step(startupTakes / starts)
		}
	}
	return r.size()
}

func (r *run) startOnce(ctx context.Context, s *subject) error {
	o := s.options(r.options.Args)
	o.NoFile = 0 // it takes a shell to set that
	daemon, err := master.Start(ctx, o)
	if err != nil {
		return err
	}
	defer daemon.Close()
	fd, err := daemon.Dial()
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	ask := list("request", "find_endp", "label", endpointLabel("none"))
	if _, err := unix.SendmsgN(fd, ask, nil, nil, unix.MSG_NOSIGNAL); err != nil {
		return fmt.Errorf("send request: %w", err)
	}
	if err := await(fd, greeting); err != nil {
		return err
	}
	greeted := time.Now()
	if err := await(fd, missed); err != nil {
		return err
	}
	first, err := daemon.FirstStatus(patience * time.Second)
	if err != nil {
		return err
	}
	used, err := processorTime(daemon.PID())
	if err != nil {
		return err
	}
	r.report.Startup.CPU.add(s, milli(used))
	r.report.Startup.Record.add(s, milli(first.Sub(daemon.Started)))
	r.report.Startup.Greeting.add(s, milli(greeted.Sub(daemon.Started)))
	return nil
}

// await waits for bytes with ordinary system calls: meanwhile somebody has to
// read what the daemon tells its master.
func await(fd int, want []byte) error {
	timeout := unix.Timeval{Sec: patience}
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout); err != nil {
		return fmt.Errorf("set timeout: %w", err)
	}
	got := make([]byte, 0, len(want))
	for len(got) < len(want) {
		var n int
		err := retry(func() (err error) { n, err = unix.Read(fd, got[len(got):cap(got)]); return err })
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		if n == 0 {
			break
		}
		got = got[:len(got)+n]
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("the answer is %q, not %q", got, want)
	}
	return nil
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
