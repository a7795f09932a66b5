package diff

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"scache/compat/master"
)

// listenFD is the daemon's listening socket (src/master/master_proto.h).
const listenFD = 6

// A Target is a daemon to play transcripts to, one at a time.
type Target struct {
	*master.Daemon
	Name string // for messages: "ours", "reference"

	setup     Setup
	watch     *watch
	processor *processor // nil if it is not shared
	line      int        // of the log: the first one that nothing is known of
	status    int        // likewise of the records on the status channel
	probes    int
	startup   []string // log lines from before the first client
}

// Start starts a daemon. The caller closes it.
func Start(ctx context.Context, name, program string, setup Setup) (*Target, error) {
	return startOn(ctx, nil, name, program, setup)
}

// startOn starts a daemon on a processor that the goroutine has taken, if not nil.
func startOn(ctx context.Context, on *processor, name, program string, setup Setup) (*Target, error) {
	t := &Target{Name: name, setup: setup, processor: on}
	start := func() (err error) {
		t.Daemon, err = master.Start(ctx, setup.options(program, on != nil))
		return err
	}
	err := error(nil)
	if on != nil {
		err = on.spawn(start)
	} else {
		err = start()
	}
	if err != nil {
		return nil, err
	}
	if err := t.wake(); err != nil {
		t.Close()
		return nil, fmt.Errorf("%s (%s): %w; the log is:\n%s", name, filepath.Base(program), err, t.Log.Tail(0, 20))
	}
	return t, nil
}

// options are the same for ours and for the reference, which does not know the
// parameters that only ours has, and does not mind them.
func (s Setup) options(program string, collect bool) master.Options {
	limit := "1h"
	if s.TTLLimit > 0 {
		limit = strconv.Itoa(s.TTLLimit) + "s"
	}
	lines := []string{
		"connection_cache_ttl_limit = " + limit,
		"session_cache_ttl_limit = " + limit, // in the snapshot 20040720
		"connection_cache_status_update_time = 1d",
		"max_idle = 1d",
		"smtputf8_enable = " + yes(s.UTF8),
		"scached_live_check = " + yes(s.LiveCheck),
		"scached_warning_limit = 0", // the reference has none
	}
	if s.NameSpaces != "" {
		lines = append(lines, "scached_name_spaces = "+s.NameSpaces)
	}
	if s.Quit {
		lines = append(lines, "scached_quit = yes")
	}
	if s.Dialect != "" {
		lines = append(lines, "scached_protocol_version = "+s.Dialect)
	}
	o := master.Options{Program: program, Collect: collect, NoFile: s.NoFile, MainCF: strings.Join(lines, "\n") + "\n"}
	if s.Verbose {
		o.Verbose = 1
	}
	return o
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// wake waits until the daemon has come up.
func (t *Target) wake() error {
	deadline := time.Now().Add(restTime)
	for {
		var err error
		if t.watch, err = newWatch(t.PID(), listenFD); err == nil {
			break
		}
		if t.gone() || time.Now().After(deadline) {
			return fmt.Errorf("wait for it to come up: %w", err)
		}
		time.Sleep(time.Millisecond)
	}
	if err := t.widenLog(); err != nil {
		return fmt.Errorf("make room for its log: %w", err)
	}
	if t.processor != nil {
		if err := t.processor.keep(t.PID()); err != nil {
			return err
		}
		t.watch.lookAgain()
	}
	lines, _, err := t.news()
	t.startup = startupLines(lines)
	return err
}

// news returns the lines that were logged since the last call, and the states that
// the master was told.
func (t *Target) news() (lines []string, status []int32, err error) {
	if t.processor == nil {
		return t.probe()
	}
	if err := t.Collect(); err != nil {
		return nil, nil, err
	}
	lines = t.texts()
	t.line += len(lines)
	records, err := t.StatusSince(t.status)
	t.status += len(records)
	if t.setup.Verbose {
		status = states(records)
	}
	return lines, status, err
}

// collectAll takes in what the daemon has said, if nobody else does.
func (t *Target) collectAll() error {
	if t.processor == nil {
		return nil
	}
	return t.Collect()
}

func states(records []master.StatusRecord) (states []int32) {
	for _, record := range records {
		states = append(states, record.State)
	}
	return states
}

// widenLog makes the pipe that the daemon logs to large. Ours loses lines rather
// than wait for long for somebody who reads slowly, as everybody does on a busy
// machine.
func (t *Target) widenLog() error {
	fd, err := unix.Open(fmt.Sprintf("/proc/%d/fd/2", t.PID()), unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	_, err = unix.FcntlInt(uintptr(fd), unix.F_SETPIPE_SZ, 1<<20)
	return err
}

// Close ends the daemon.
func (t *Target) Close() {
	if t.watch != nil {
		t.watch.close()
	}
	t.signal(unix.SIGCONT)
	t.Daemon.Close()
}

// closingTime is how long a daemon may take to close descriptors when it is done
// with everything else. Ours leaves those that could hold it up to a thread.
const closingTime = 2 * time.Second

// settledDescriptors counts the daemon's descriptors once there are no more than
// expected, or when that does not come to pass.
func (t *Target) settledDescriptors(expected int) (n int, err error) {
	for deadline := time.Now().Add(closingTime); ; {
		n, err = openDescriptors(t.PID())
		if err != nil || n <= expected || !t.watch.threaded() || time.Now().After(deadline) {
			return n, err
		}
		waitPeers(nil, moment)
	}
}

func (t *Target) gone() bool {
	_, err := t.Wait(0)
	return err == nil || unix.Kill(t.PID(), 0) != nil
}

// hold stops the daemon; it has stopped when hold returns.
func (t *Target) hold() error {
	if err := t.signal(unix.SIGSTOP); err != nil {
		return fmt.Errorf("stop daemon: %w", err)
	}
	for deadline := time.Now().Add(restTime); !t.watch.stopped(); {
		if time.Now().After(deadline) {
			return errors.New("stop daemon: it goes on")
		}
		waitPeers(nil, moment)
	}
	return nil
}

func (t *Target) release() error { return t.signal(unix.SIGCONT) }

// end makes the daemon end and tells how it did.
func (t *Target) end(action Action) string {
	if action == HangUp {
		t.HangUp()
	} else if err := t.Stop(); err != nil {
		return err.Error()
	}
	return t.ended()
}

// ended waits for the end of the daemon.
func (t *Target) ended() string {
	state, err := t.Wait(restTime)
	if err != nil {
		return "does not end"
	}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return "signal: " + status.Signal().String()
	}
	return fmt.Sprintf("exit status %d", state.ExitCode())
}

// probe is news by way of a client that the daemon is sure to log something about. It returns
// the lines that were logged since the last probe, and the states that the
// master was told, without those of the probe.
func (t *Target) probe() (lines []string, status []int32, err error) {
	t.probes++
	name := fmt.Sprintf("probe-%d-%d", t.PID(), t.probes)
	p := newPlayer(t, []Step{
		{Do: Connect},
		{Do: Send, Data: []byte("request\x00" + name + "\x00\x00")},
	}, labeler{})
	for i := range p.steps {
		if err = p.begin(i); err == nil {
			_, err = p.finish(i)
		}
		if err != nil {
			p.close()
			return nil, nil, fmt.Errorf("probe: %w", err)
		}
	}
	if err := p.close(); err != nil {
		return nil, nil, fmt.Errorf("probe: %w", err)
	}
	return t.cut(name)
}

// cut takes what was logged up to a probe out of the log.
func (t *Target) cut(probe string) (lines []string, status []int32, err error) {
	if _, err := t.Log.WaitSince(t.line, probe, restTime); err != nil {
		return nil, nil, err
	}
	all := t.texts()
	at := indexOf(all, 0, probe)
	if !t.setup.Verbose {
		t.line += at + 1
		return all[:at], nil, nil
	}
	// The probe is a conversation from the connection to its end.
	const established, closed = "connection established fd ", "connection closed fd "
	if _, err := t.Log.WaitSince(t.line+at, closed, restTime); err != nil {
		return nil, nil, err
	}
	all = t.texts()
	begin, end := at, indexOf(all, at, closed)
	for begin > 0 && !strings.HasPrefix(all[begin], established) {
		begin--
	}
	t.line += end + 1
	status, err = t.cutStatus(all[:begin], all[begin:end+1])
	return all[:begin], status, err
}

// texts are the lines that nothing is known of yet.
func (t *Target) texts() []string {
	lines := t.Log.Since(t.line)
	texts := make([]string, len(lines))
	for i, line := range lines {
		texts[i] = line.Text
	}
	return texts
}

func indexOf(lines []string, from int, substr string) int {
	for i := from; i < len(lines); i++ {
		if strings.Contains(lines[i], substr) {
			return i
		}
	}
	return -1
}

// cutStatus takes as many records as the log tells of from the status channel.
func (t *Target) cutStatus(lines, probe []string) ([]int32, error) {
	want, extra := countNotices(lines), countNotices(probe)
	for deadline := time.Now().Add(restTime); ; {
		records, err := t.Status()
		if err != nil {
			return nil, err
		}
		if len(records) >= t.status+want+extra {
			states := states(records[t.status : t.status+want])
			t.status += want + extra
			return states, nil
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("the log tells of %d records for master, there are %d", t.status+want+extra, len(records))
		}
		waitPeers(nil, moment)
	}
}

func countNotices(lines []string) (n int) {
	for _, line := range lines {
		if strings.HasPrefix(line, "master_notify: status ") {
			n++
		}
	}
	return n
}

func (t *Target) signal(signal syscall.Signal) error { return unix.Kill(t.PID(), signal) }
