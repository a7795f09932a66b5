package postfix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"scache/compat/master"
	"scache/scached/install"
)

// Options say what a private Postfix instance is like.
type Options struct {
	// Cache is the program of the scache service: the path of our daemon, or
	// empty for the reference, which leaves master.cf as Postfix brings it.
	Cache string
	// CacheArgs are arguments for the scache service, as in master.cf.
	CacheArgs []string
	// NoChroot runs the scache service outside the chroot jail. It is in it
	// otherwise.
	NoChroot bool
	// Main is what stands in main.cf after the instance's own parameters.
	Main []string
	// Master is what stands in master.cf after Postfix's own services.
	Master []string
	// Hosts are lines for the hosts file of the jail, which is where smtp(8)
	// looks names up.
	Hosts []string
	// Syslog makes the instance log to a syslog socket, not to a file. It needs
	// the right to make mount namespaces.
	Syslog bool
}

// An Instance is a complete private Postfix instance: its own configuration,
// queue, data and daemon directories, one smtpd(8) on a free loopback port.
// Its methods may be called from any goroutine.
type Instance struct {
	// Log holds everything that the instance logged.
	Log *master.Log
	// SMTPD is where the instance takes mail.
	SMTPD netip.AddrPort

	options Options
	dirs    dirs
	own     *install.Installed
	master  int // process number of master(8), which is its process group's as well
	tail    *master.FileTail
	syslog  *master.DatagramLog
	closing sync.Once
}

const patience = 30 * time.Second

// Start starts an instance and returns when it takes mail. It returns
// [install.ErrNoPostfix] when Postfix is not installed. The caller calls
// [Instance.Close], which stops the instance if [Instance.Stop] was not called.
func Start(ctx context.Context, o Options) (*Instance, error) {
	own, err := install.FindInstalled()
	if err != nil {
		return nil, err
	}
	if os.Getuid() != 0 {
		return nil, errors.New("start postfix: only root can")
	}
	p := &Instance{Log: master.NewLog(), options: o, own: own}
	if err := p.build(); err != nil {
		p.remove()
		return nil, fmt.Errorf("build postfix instance: %w", err)
	}
	if err := p.start(ctx); err != nil {
		p.Close()
		return nil, fmt.Errorf("start postfix instance: %w", err)
	}
	return p, nil
}

func (p *Instance) start(ctx context.Context) error {
	cmd := master.Command{Path: filepath.Join(p.own.CommandDir, "postfix"), Argv: []string{"postfix", "-c", p.dirs.config, "start"}}
	if p.options.Syslog {
		socket, err := master.OpenSyslog(&cmd, p.dirs.top, p.Log)
		if err != nil {
			return err
		}
		p.syslog = socket
	} else {
		p.tail = master.TailFile(p.dirs.maillog(), p.Log)
	}
	cmd = cmd.Wrapped()
	starter := exec.CommandContext(ctx, cmd.Path, cmd.Argv[1:]...)
	starter.SysProcAttr = cmd.Attr
	err := runQuietly(starter)
	if pid, pidErr := p.readMasterPID(); pidErr == nil {
		p.master = pid
	}
	if err != nil {
		return fmt.Errorf("%w; the log is:\n%s", err, p.Log.Tail(0, 50))
	}
	if p.master == 0 {
		return errors.New("no master process")
	}
	return p.awaitSMTPD(ctx)
}

// runQuietly runs a command whose output matters only when it fails. The
// output goes to a file: a daemon that the command leaves behind may keep it
// open for as long as it likes.
func runQuietly(cmd *exec.Cmd) error {
	file, err := os.CreateTemp("", "scout")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	cmd.Stdout, cmd.Stderr = file, file
	if err := cmd.Run(); err != nil {
		output, _ := os.ReadFile(file.Name())
		return fmt.Errorf("%s: %w: %s", cmd.Path, err, bytes.TrimSpace(output))
	}
	return nil
}

func (p *Instance) awaitSMTPD(ctx context.Context) error {
	var last error
	if master.WaitUntil(patience, func() bool {
		var conn net.Conn
		if conn, last = new(net.Dialer).DialContext(ctx, "tcp4", p.SMTPD.String()); last != nil {
			return ctx.Err() != nil
		}
		conn.Close()
		return true
	}) {
		return ctx.Err()
	}
	return fmt.Errorf("no smtp server: %w; the log is:\n%s", last, p.Log.Tail(0, 50))
}

// Command runs postfix(1) for this instance: "reload", "flush", "status".
func (p *Instance) Command(ctx context.Context, args ...string) error {
	args = append([]string{"-c", p.dirs.config}, args...)
	return runQuietly(exec.CommandContext(ctx, filepath.Join(p.own.CommandDir, "postfix"), args...))
}

// Reload makes the instance read its configuration again. The daemons that
// run end when they have finished what they do. When it returns, mail is taken.
func (p *Instance) Reload(ctx context.Context) error {
	if err := p.Command(ctx, "reload"); err != nil {
		return err
	}
	return p.awaitSMTPD(ctx)
}

// Stop stops the instance with "postfix stop". It is an error when a process
// outlives it; the process is killed then.
func (p *Instance) Stop() error { return p.stop(patience) }

// stop is Stop with less patience for a process that does not end.
func (p *Instance) stop(patience time.Duration) error {
	if p.master == 0 {
		return nil
	}
	err := p.Command(context.Background(), "stop")
	if !master.WaitUntil(patience, func() bool { return len(p.Processes()) == 0 }) {
		left := p.Processes()
		for _, process := range left {
			process.kill()
		}
		err = errors.Join(err, fmt.Errorf("left behind: %v", left))
	}
	p.master = 0
	p.stopLog()
	if err != nil {
		return fmt.Errorf("stop postfix instance: %w", err)
	}
	return nil
}

// stopLog returns when everything logged so far is in p.Log.
func (p *Instance) stopLog() {
	if p.tail != nil {
		p.tail.Stop()
		p.tail = nil
	}
	if p.syslog != nil {
		p.syslog.Close()
		p.syslog = nil
	}
}

// Close stops the instance if it runs and removes its directories.
func (p *Instance) Close() (err error) {
	p.closing.Do(func() {
		err = p.Stop()
		p.stopLog()
		err = errors.Join(err, p.remove())
	})
	return err
}

func (p *Instance) remove() error {
	if p.dirs.top == "" {
		return nil
	}
	return os.RemoveAll(p.dirs.top)
}

// Dir is the directory that holds everything of the instance.
func (p *Instance) Dir() string { return p.dirs.top }

// ConfigDir is the instance's config_directory.
func (p *Instance) ConfigDir() string { return p.dirs.config }

// QueueDir is the instance's queue_directory.
func (p *Instance) QueueDir() string { return p.dirs.queue }

// CacheSocket is the path of the scache service's socket.
func (p *Instance) CacheSocket() string { return p.dirs.queue + "/private/scache" }

// CacheProgram is the base name of the scache service's program.
func (p *Instance) CacheProgram() string {
	if p.options.Cache == "" {
		return "scache"
	}
	return filepath.Base(p.options.Cache)
}

// Tally reads the instance's log as far as it is written.
func (p *Instance) Tally() Tally { return TallyOf(p.Log.Lines(), p.CacheProgram()) }
