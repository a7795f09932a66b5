package scripts

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"scache/compat/master"
	"scache/scached/install"
)

// startMaster [flags] [-- argument ...]
// starts the daemon, as master(8) does.
func startMaster(c *call) error {
	name, options, err := c.masterOptions()
	if err != nil {
		return err
	}
	if c.daemons[name] != nil {
		return fmt.Errorf("daemon %s was started before", name)
	}
	started, err := master.Start(context.Background(), options)
	if err != nil {
		return err
	}
	c.latest = &daemon{Daemon: started, descriptors: -1}
	c.daemons[name] = c.latest
	c.ts.Setenv("SOCKET", started.Socket())
	c.ts.Setenv("PID", strconv.Itoa(started.PID()))
	c.ts.Setenv("CONFIG", started.ConfigDir())
	c.ts.Setenv("QUEUE", started.QueueDir())
	return nil
}

func (c *call) masterOptions() (name string, o master.Options, err error) {
	o.Program = filepath.Join(c.programs, "scached")
	o.Service = "scache"
	f := flag.NewFlagSet("master", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&name, "d", "", "")
	f.BoolVar(&o.Chroot, "c", false, "")
	f.BoolVar(&o.Unprivileged, "u", false, "")
	f.StringVar(&o.Service, "n", o.Service, "")
	f.IntVar(&o.NoFile, "nofile", 0, "")
	f.StringVar(&o.Generation, "generation", "", "")
	f.BoolFunc("v", "", func(string) error { o.Verbose++; return nil })
	f.Func("env", "", func(text string) error { o.Env = append(o.Env, text); return nil })
	f.Func("cf", "", func(file string) error { o.MainCF = c.ts.ReadFile(file); return nil })
	f.Func("log", "", func(mode string) error { return logMode(&o, mode) })
	only := f.Bool("only", false, "")
	if err := f.Parse(c.args); err != nil {
		return "", o, fmt.Errorf("%w; usage: master [-d name] [-c] [-u] [-v] [-n service] [-nofile count] "+
			"[-generation octal] [-env name=value] [-cf file] [-log stderr|postlog|syslog] [-only] [-- argument ...]", err)
	}
	o.Args = f.Args()
	if *only {
		o.ExactArgs = append([]string{}, o.Args...)
	}
	if *reference {
		o.Program, err = install.ReferenceProgram()
	}
	return name, o, err
}

func logMode(o *master.Options, mode string) error {
	switch mode {
	case "stderr":
		o.Log = master.LogStderr
	case "postlog":
		o.Log = master.LogPostlog
	case "syslog":
		o.Log = master.LogSyslog
	default:
		return errors.New("unknown log")
	}
	return nil
}

// signal [-d name] NAME
// sends a signal to the daemon.
func signal(c *call) error {
	d, err := c.daemon()
	if err != nil {
		return err
	}
	if len(c.args) != 1 || unix.SignalNum("SIG"+c.args[0]) == 0 {
		return usage("signal [-d name] TERM|HUP|...")
	}
	process, err := os.FindProcess(d.PID())
	if err != nil {
		return err
	}
	return process.Signal(unix.SignalNum("SIG" + c.args[0]))
}

// hangup [-d name]
// makes the master go away, or reload.
func hangup(c *call) error {
	d, err := c.daemon()
	if err == nil {
		d.HangUp()
	}
	return err
}

// exited [-d name] STATUS|SIGNAL
// waits for the end of the daemon.
func exited(c *call) error {
	d, err := c.daemon()
	if err != nil {
		return err
	}
	if len(c.args) != 1 {
		return usage("exited [-d name] status|signal")
	}
	state, err := d.Wait(patience)
	if err != nil {
		return err
	}
	have := strconv.Itoa(state.ExitCode())
	if status := state.Sys().(syscall.WaitStatus); status.Signaled() {
		have = strings.TrimPrefix(unix.SignalName(status.Signal()), "SIG")
	}
	if have != c.args[0] {
		return fmt.Errorf("ended with %s; the log is:\n%s", have, d.Log.Tail(0, 50))
	}
	return nil
}

// descriptors [-d name] [+N]
// remembers how many the daemon has, or waits until it has N more.
func descriptors(c *call) error {
	d, err := c.daemon()
	if err != nil {
		return err
	}
	if len(c.args) == 0 {
		open, err := d.Descriptors()
		d.descriptors = len(open)
		return err
	}
	more, err := strconv.Atoi(c.args[0])
	if err != nil || len(c.args) > 1 || d.descriptors < 0 {
		return usage("descriptors [-d name], and later: descriptors [-d name] +count")
	}
	return d.WaitDescriptors(d.descriptors+more, patience)
}
