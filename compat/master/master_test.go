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
)

const greeting = "protocol\x00connection_cache_protocol\x00\x00"

// readExactly reads want from fd, byte for byte.
func readExactly(t *testing.T, fd int, want string) {
	t.Helper()
	unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 30})
	buf := make([]byte, len(want))
	for n := 0; n < len(buf); {
		m, err := unix.Read(fd, buf[n:])
		if err == unix.EINTR {
			continue
		}
		if err != nil || m == 0 {
			t.Fatalf("read: got %q and %d, %v; want %q", buf[:n], m, err, want)
		}
		n += m
	}
	if string(buf) != want {
		t.Fatalf("read: got %q, want %q", buf, want)
	}
}

func writeAll(t *testing.T, fd int, data string) {
	t.Helper()
	if n, err := unix.Write(fd, []byte(data)); err != nil || n != len(data) {
		t.Fatalf("write: %d, %v", n, err)
	}
}

func startDaemon(t *testing.T, o Options) *Daemon {
	t.Helper()
	d, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func dial(t *testing.T, d *Daemon) int {
	t.Helper()
	fd, err := d.Dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	readExactly(t, fd, greeting)
	return fd
}

func ask(t *testing.T, fd int, request, answer string) {
	t.Helper()
	writeAll(t, fd, request)
	readExactly(t, fd, answer)
}

const (
	saveDest   = "request\x00save_dest\x00ttl\x002\x00label\x00d\x00property\x00dp\x00label\x00e\x00\x00"
	saveDestOK = "status\x000\x00\x00"
	findMiss   = "request\x00find_endp\x00label\x00x\x00\x00"
	findMissed = "status\x002\x00property\x00\x00\x00"
)

// The stand-in master must look to a daemon like the real one, so these run
// the reference, and ours the same way.
func TestStandInMaster(t *testing.T) {
	testbed.EachProgram(t, func(t *testing.T, program string) {
		t.Run("serves and reports its state", func(t *testing.T) {
			t.Parallel()
			d := startDaemon(t, Options{Program: program, Unprivileged: true})
			fd := dial(t, d)
			ask(t, fd, findMiss, findMissed)
			ask(t, fd, "request\x00bogus\x00\x00", "status\x001\x00\x00")
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
				ask(t, dial(t, d), saveDest, saveDestOK)
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
			fd := dial(t, d)
			before, err := d.Descriptors()
			if err != nil {
				t.Fatal(err)
			}
			second, err := d.Dial()
			if err != nil {
				t.Fatal(err)
			}
			readExactly(t, second, greeting)
			if err := d.WaitDescriptors(len(before)+1, 5*time.Second); err != nil {
				t.Error(err)
			}
			unix.Close(second)
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
			ask(t, fd, findMiss, findMissed)
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
