package postfix

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"scache/compat/master"
	"scache/compat/testbed"
	"scache/compat/wire"
)

// What a real master(8) makes of the daemon's status records and of its end.
func TestSupervision(t *testing.T) {
	testbed.EachProgram(t, func(t *testing.T, program string) {
		t.Run("a daemon that has served is replaced at once", func(t *testing.T) {
			t.Parallel()
			p := startPostfix(t, program)
			c := dialCache(t, p)
			serves(t, c)
			serves(t, c)
			letMasterTurn(t, p)
			first := waitCache(t, p, 0)
			kill(t, first)
			c = dialCache(t, p)
			serves(t, c)
			waitCache(t, p, first)
			stopPostfix(t, p, killedBySignal)
			if lines := p.Log.Matching("throttling"); len(lines) > 0 {
				t.Errorf("throttled:\n%s", master.RawLines(lines))
			}
		})
		t.Run("a daemon that cannot start is throttled", func(t *testing.T) {
			t.Parallel()
			p := startPostfix(t, program, "-o", "mail_owner=no-such-user")
			dial(t, p.CacheSocket())
			for _, text := range []string{
				"fatal: file " + p.ConfigDir() + "/main.cf: parameter mail_owner: unknown user name value: no-such-user",
				"exit status 1",
				"bad command startup -- throttling",
			} {
				if _, err := p.Log.Wait(text, patience); err != nil {
					t.Error(err)
				}
			}
			stopPostfix(t, p, "no-such-user", "exit status 1", "throttling")
		})
		t.Run("an idle daemon ends and the next client starts another", func(t *testing.T) {
			t.Parallel()
			p := startPostfix(t, program, "-o", "max_idle=1s")
			c := dialCache(t, p)
			saves(t, c)
			first := waitCache(t, p, 0)
			c.Close()
			if _, err := p.Log.Wait("statistics: max simultaneous domains=1 addresses=0 connection=0", patience); err != nil {
				t.Error(err)
			}
			serves(t, dialCache(t, p))
			waitCache(t, p, first)
			stopPostfix(t, p)
		})
		t.Run("a stop ends a busy daemon", func(t *testing.T) {
			t.Parallel()
			needMounts(t)
			// A syslog socket: postlogd(8) is stopped with all others, and what
			// comes too late for it is lost.
			p := startInstance(t, Options{Cache: cacheOf(program), Syslog: true})
			saves(t, dialCache(t, p))
			started := time.Now()
			stopPostfix(t, p)
			if took := time.Since(started); took > 4*time.Second {
				t.Errorf("the stop took %v: a process did not end by itself", took)
			}
			said := len(p.Log.Matching("statistics: max simultaneous ")) > 0
			if ours := p.CacheProgram() != "scache"; said != ours {
				t.Errorf("statistics at the stop: %t, want %t", said, ours)
			}
		})
	})
}

// letMasterTurn returns when master(8) has read the status records that were
// written so far: it reads one in each turn of its event loop, and takes a turn
// for every service that is asked for the first time. A daemon whose records it
// has not read counts as one that never served.
func letMasterTurn(t *testing.T, p *Instance) {
	t.Helper()
	for _, service := range []string{"discard", "error", "local"} {
		dial(t, p.dirs.queue+"/private/"+service)
		if !master.WaitUntil(patience, func() bool { return p.runs(service) }) {
			t.Fatalf("no process for service %s: %v", service, p.Processes())
		}
	}
}

// cacheOf returns what Options call a program.
func cacheOf(program string) string {
	if filepath.Base(program) == "scache" {
		return ""
	}
	return program
}

// startPostfix starts an instance with the cache program at that path.
func startPostfix(t *testing.T, program string, cacheArgs ...string) *Instance {
	t.Helper()
	return startInstance(t, Options{Cache: cacheOf(program), CacheArgs: cacheArgs})
}

func startInstance(t *testing.T, o Options) *Instance {
	t.Helper()
	p, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// stopPostfix stops the instance, and checks that it warned of nothing else
// than what is allowed.
func stopPostfix(t *testing.T, p *Instance, allowed ...string) {
	t.Helper()
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
	tally := p.Tally()
	if unexpected := tally.UnexpectedWarnings(allowed...); len(unexpected) > 0 {
		t.Errorf("unexpected warnings:\n%s", master.RawLines(unexpected))
	}
}

// dialCache makes a client that has been greeted.
func dialCache(t *testing.T, p *Instance) *wire.Client {
	t.Helper()
	c, err := wire.DialGreeted(p.CacheSocket(), patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// dial makes a client of any service.
func dial(t *testing.T, path string) {
	t.Helper()
	c, err := wire.Dial(path, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
}

func waitCache(t *testing.T, p *Instance, except int) int {
	t.Helper()
	pid, err := p.WaitCache(except, patience)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// What "nothing left behind" means has to be seen when it is not so.
func TestStopSeesWhatIsLeft(t *testing.T) {
	testbed.Reference(t)
	p, err := Start(t.Context(), Options{Master: []string{"stubborn unix - n n - 1 stubborn"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	program := "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 1; done\n"
	if err := os.WriteFile(p.dirs.daemon+"/stubborn", []byte(program), 0o755); err != nil {
		t.Fatal(err)
	}
	dial(t, p.dirs.queue+"/private/stubborn")
	if !master.WaitUntil(patience, func() bool { return p.runs("sleep") }) {
		t.Fatalf("the stubborn service does not run: %v", p.Processes())
	}
	if err := p.stop(100 * time.Millisecond); err == nil || !strings.Contains(err.Error(), "left behind: [stubborn[") {
		t.Errorf("error %v, want the process that was left", err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(p.Dir()); !os.IsNotExist(err) {
		t.Errorf("directory left behind: %v", err)
	}
}

const killedBySignal = "killed by signal 9"
