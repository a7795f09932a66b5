package master

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"scache/compat/testbed"
	"scache/compat/wire"
)

func startDaemon(t *testing.T, o Options) *Daemon {
	t.Helper()
	d, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// dial makes a client that has been greeted.
func dial(t *testing.T, d *Daemon) *wire.Client {
	t.Helper()
	c, err := wire.DialGreeted(d.Socket(), patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func ask(t *testing.T, c *wire.Client, request, answer string) {
	t.Helper()
	if err := c.Ask(request, answer); err != nil {
		t.Fatal(err)
	}
}

const patience = 30 * time.Second

var (
	saveDest = wire.SaveDestination("d", "2", "e")
	findMiss = wire.FindEndpoint("x")
)

// The stand-in master must look to a daemon like the real one, so these run
// the reference, and ours the same way.
func TestStandInMaster(t *testing.T) {
	testbed.EachProgram(t, func(t *testing.T, program string) {
		t.Run("serves and reports its state", func(t *testing.T) {
			t.Parallel()
			d := startDaemon(t, Options{Program: program, Unprivileged: true})
			c := dial(t, d)
			ask(t, c, findMiss, wire.Missed)
			ask(t, c, wire.List("request", "bogus"), wire.Bad)
			if _, err := d.WaitLog(`warning: unrecognized request: "bogus", ignored`, 5*time.Second); err != nil {
				t.Error(err)
			}
			if !WaitUntil(5*time.Second, func() bool {
				records, err := d.Status()
				return err == nil && len(records) >= 2
			}) {
				t.Fatal("no status records")
			}
			records, err := d.Status()
			if err != nil {
				t.Fatal(err)
			}
			want := []StatusRecord{
				{PID: int32(d.PID()), Generation: DefaultGeneration, State: StatusTaken},
				{PID: int32(d.PID()), Generation: DefaultGeneration, State: StatusAvailable},
			}
			if diff := cmp.Diff(want, records[:2]); diff != "" {
				t.Errorf("status records (-want +got):\n%s", diff)
			}
		})
		for mode, name := range map[LogMode]string{LogStderr: "standard error", LogPostlog: "postlog", LogSyslog: "syslog"} {
			t.Run("statistics when the master hangs up, "+name, func(t *testing.T) {
				t.Parallel()
				if mode == LogSyslog {
					needMounts(t)
				}
				d := startDaemon(t, Options{Program: program, Unprivileged: true, Chroot: true, Log: mode})
				ask(t, dial(t, d), saveDest, wire.Done)
				d.HangUp()
				state, err := d.Wait(10 * time.Second)
				if err != nil {
					t.Fatal(err)
				}
				if !state.Success() {
					t.Errorf("exit status %v, want 0", state)
				}
				lines := d.Log.Lines()
				if len(lines) != 2 ||
					!strings.HasPrefix(lines[0].Text, "statistics: start interval ") ||
					lines[1].Text != "statistics: max simultaneous domains=1 addresses=0 connection=0" {
					t.Fatalf("unexpected log:\n%s", d.Log.Tail(0, 50))
				}
				if want := "postfix/" + filepath.Base(program); lines[0].Tag != want {
					t.Errorf("tag %q, want %q in %q", lines[0].Tag, want, lines[0].Raw)
				}
				if mode != LogStderr && lines[0].PID != d.PID() {
					t.Errorf("process %d, want %d in %q", lines[0].PID, d.PID(), lines[0].Raw)
				}
			})
		}
		t.Run("descriptors", func(t *testing.T) {
			t.Parallel()
			d := startDaemon(t, Options{Program: program, NoFile: 200})
			c := dial(t, d)
			before, err := d.Descriptors()
			if err != nil {
				t.Fatal(err)
			}
			second := dial(t, d)
			if err := d.WaitDescriptors(len(before)+1, 5*time.Second); err != nil {
				t.Error(err)
			}
			second.Close()
			if err := d.WaitDescriptors(len(before), 5*time.Second); err != nil {
				t.Error(err)
			}
			if flags := openFlags(t, d.PID(), listenFD); flags&unix.O_NONBLOCK == 0 {
				t.Errorf("listening socket: flags %#o, want O_NONBLOCK", flags)
			}
			if flags := openFlags(t, d.PID(), statusFD); flags&unix.O_NONBLOCK != 0 {
				t.Errorf("status channel: flags %#o, want no O_NONBLOCK", flags)
			}
			limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", d.PID()))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(strings.Join(strings.Fields(string(limits)), " "), "Max open files 200 200") {
				t.Errorf("limits:\n%s", limits)
			}
			ask(t, c, findMiss, wire.Missed)
		})
		t.Run("fatal", func(t *testing.T) {
			t.Parallel()
			d := startDaemon(t, Options{Program: program, ExactArgs: []string{"-l", "-V"}})
			state, err := d.Wait(10 * time.Second)
			if err != nil {
				t.Fatal(err)
			}
			if state.ExitCode() != 1 {
				t.Errorf("exit status %v, want 1", state)
			}
			if diff := cmp.Diff([]string{"fatal: no transport type specified"}, d.Log.Texts()); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
		})
		t.Run("killed", func(t *testing.T) {
			t.Parallel()
			d := startDaemon(t, Options{Program: program})
			dial(t, d)
			if err := d.Kill(); err != nil {
				t.Fatal(err)
			}
			state, err := d.Wait(10 * time.Second)
			if err != nil {
				t.Fatal(err)
			}
			if got := state.Sys().(syscall.WaitStatus).Signal(); got != syscall.SIGKILL {
				t.Errorf("ended by %v, want SIGKILL", got)
			}
			d.Close()
			if _, err := os.Stat(filepath.Dir(d.QueueDir())); !os.IsNotExist(err) {
				t.Errorf("directory left behind: %v", err)
			}
		})
	})
}

// openFlags returns the open file description's flags of a descriptor.
func openFlags(t *testing.T, pid, fd int) int {
	t.Helper()
	info, err := os.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%d", pid, fd))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(info)) {
		var flags int
		if _, err := fmt.Sscanf(line, "flags: %o", &flags); err == nil {
			return flags
		}
	}
	t.Fatalf("no flags in %q", info)
	return 0
}
