package master

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Daemon is a connection cache daemon under a stand-in master. Its methods
// may be called from any goroutine.
type Daemon struct {
	// Started is when the process was started, before its first instruction.
	Started time.Time
	// Log holds everything that the daemon logged.
	Log *Log

	program  string // base name
	dirs     *masterDirs
	process  *os.Process
	status   *statusReader
	lines    *stderrReader
	flow     [2]int        // owned; the daemon has its own copies
	socket   *DatagramLog  // nil with LogStderr
	ended    chan struct{} // closed when the process has ended
	stderr   chan struct{} // closed when standard error has ended
	unhook   func() bool
	exited   chan struct{} // closed after state and err are set
	state    *os.ProcessState
	waitErr  error
	closeOne sync.Once
}

// Start starts a daemon as master(8) does: the socket listens already, so a
// client may connect at once. The daemon is killed when ctx ends. The caller
// calls [Daemon.Close].
func Start(ctx context.Context, o Options) (*Daemon, error) {
	d, err := start(o)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", filepath.Base(o.Program), err)
	}
	d.unhook = context.AfterFunc(ctx, func() { d.process.Kill() })
	return d, nil
}

// StartAll starts a batch of daemons, or none.
func StartAll(ctx context.Context, batch []Options) ([]*Daemon, error) {
	daemons := make([]*Daemon, 0, len(batch))
	for _, o := range batch {
		d, err := Start(ctx, o)
		if err != nil {
			for _, d := range daemons {
				d.Close()
			}
			return nil, err
		}
		daemons = append(daemons, d)
	}
	return daemons, nil
}

func start(o Options) (*Daemon, error) {
	program, err := filepath.Abs(o.Program)
	if err != nil {
		return nil, err
	}
	if err := unix.Access(program, unix.X_OK); err != nil {
		return nil, err
	}
	dirs, err := newMasterDirs(o.service())
	if err != nil {
		return nil, err
	}
	d := &Daemon{Log: NewLog(), program: filepath.Base(program), dirs: dirs, flow: [2]int{-1, -1}, stderr: make(chan struct{}), exited: make(chan struct{})}
	if err := d.spawn(program, o); err != nil {
		d.release()
		return nil, err
	}
	go d.wait()
	return d, nil
}

func (d *Daemon) spawn(program string, o Options) error {
	if err := WriteSettled(d.dirs.config+"/main.cf", o.mainCF(d.dirs)); err != nil {
		return err
	}
	cmd := Command{Path: program, Argv: append([]string{filepath.Base(program)}, o.args()...)}
	if o.NoFile > 0 {
		cmd.limitDescriptors(o.NoFile)
	}
	if o.NoThreads {
		cmd.forbidThreads()
	}
	if err := d.openLogs(&cmd, o.Log); err != nil {
		return err
	}
	files, err := d.openFiles(o)
	defer files.closeChild()
	if err != nil {
		return err
	}
	cmd = cmd.Wrapped()
	d.Started = time.Now()
	process, err := os.StartProcess(cmd.Path, cmd.Argv, &os.ProcAttr{
		Dir:   d.dirs.queue,
		Env:   o.env(d.dirs),
		Files: files.child[:],
		Sys:   cmd.Attr,
	})
	if err != nil {
		files.closeParent()
		return err
	}
	d.process = process
	d.status = newStatusReader(files.status, !o.NoDrain && !o.Collect)
	d.ended = make(chan struct{})
	d.lines = &stderrReader{file: files.stderr, log: d.Log}
	go func() {
		if o.NoRead || o.Collect {
			<-d.ended
		}
		d.lines.run(d.stderr)
	}()
	return nil
}

// openLogs makes the socket that the daemon logs to.
func (d *Daemon) openLogs(cmd *Command, mode LogMode) (err error) {
	switch mode {
	case LogPostlog:
		d.socket, err = listenDatagramLog(d.dirs.postlog(), parseFileLine, d.Log)
	case LogSyslog:
		d.socket, err = OpenSyslog(cmd, d.dirs.top, d.Log)
	}
	return err
}

// wait collects the process, then what it logged last.
func (d *Daemon) wait() {
	d.state, d.waitErr = d.process.Wait()
	close(d.ended)
	<-d.stderr
	if d.socket != nil {
		d.socket.Close()
	}
	close(d.exited)
}

// Dial connects to the daemon. The caller owns the descriptor: a blocking
// stream socket.
func (d *Daemon) Dial() (fd int, err error) { return dialUnix(d.Socket()) }

// Socket is the path of the listening socket.
func (d *Daemon) Socket() string { return d.dirs.socket() }

// ConfigDir is the directory of the daemon's main.cf.
func (d *Daemon) ConfigDir() string { return d.dirs.config }

// QueueDir is the daemon's queue_directory.
func (d *Daemon) QueueDir() string { return d.dirs.queue }

// PID is the daemon's process number.
func (d *Daemon) PID() int { return d.process.Pid }

// WaitLog returns the first log line that contains substr, waiting for it no
// longer than timeout.
func (d *Daemon) WaitLog(substr string, timeout time.Duration) (LogLine, error) {
	return d.Log.Wait(substr, timeout)
}

// Status returns the records that came over the status channel so far.
func (d *Daemon) Status() ([]StatusRecord, error) { return d.status.since(0) }

// StatusSince returns those after the first n of them.
func (d *Daemon) StatusSince(n int) ([]StatusRecord, error) { return d.status.since(n) }

// Collect takes in what the daemon has logged and told its master so far, without
// waiting. It is for one that was started with the option Collect.
func (d *Daemon) Collect() error {
	d.lines.collect()
	return d.status.collect()
}

// FirstStatus returns when the first record came over the status channel,
// waiting for it no longer than timeout. A master believes that a daemon that
// ends before it is broken (src/master/master_spawn.c).
func (d *Daemon) FirstStatus(timeout time.Duration) (at time.Time, err error) {
	if !WaitUntil(timeout, func() bool { at = d.status.firstAt(); return !at.IsZero() }) {
		return at, fmt.Errorf("wait for a status record: none within %v", timeout)
	}
	return at, nil
}

// Descriptors returns what the daemon's descriptors refer to.
func (d *Daemon) Descriptors() (map[int]string, error) { return Descriptors(d.PID()) }

// WaitDescriptors waits until the daemon has n descriptors open.
func (d *Daemon) WaitDescriptors(n int, timeout time.Duration) error {
	var links map[int]string
	var err error
	if WaitUntil(timeout, func() bool {
		links, err = d.Descriptors()
		return err != nil || len(links) == n
	}) {
		return err
	}
	return fmt.Errorf("wait for %d descriptors: still %d after %v: %v", n, len(links), timeout, links)
}

// Credentials returns the daemon's privileges.
func (d *Daemon) Credentials() (Credentials, error) { return ProcessCredentials(d.PID()) }

// Root is the daemon's root directory.
func (d *Daemon) Root() (string, error) { return ProcessRoot(d.PID()) }

// HangUp closes the master's end of the status channel: the master has gone,
// or reloads.
func (d *Daemon) HangUp() { d.status.close() }

// Stop sends SIGTERM, as "postfix stop" does.
func (d *Daemon) Stop() error { return d.process.Signal(syscall.SIGTERM) }

// Kill sends SIGKILL.
func (d *Daemon) Kill() error { return d.process.Kill() }

// Wait waits until the daemon has ended and everything that it logged is in
// Log, for no longer than timeout.
func (d *Daemon) Wait(timeout time.Duration) (*os.ProcessState, error) {
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	select {
	case <-d.exited:
		return d.state, d.waitErr
	case <-deadline.C:
		return nil, fmt.Errorf("wait for daemon to end: still running after %v; the log is:\n%s", timeout, d.Log.Tail(0, 50))
	}
}

// Close kills the daemon if it still runs, and removes its directories.
func (d *Daemon) Close() {
	d.closeOne.Do(func() {
		if d.unhook != nil {
			d.unhook()
		}
		if err := d.process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return // not ours to remove what is still in use
		}
		<-d.exited
		d.status.close()
		d.release()
	})
}

// release gives back what outlives the process.
func (d *Daemon) release() {
	for _, fd := range d.flow {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
	if d.process == nil && d.socket != nil {
		d.socket.Close()
	}
	os.RemoveAll(d.dirs.top)
}
