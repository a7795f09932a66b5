package daemon

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestJail starts a process as master(8) does, and looks at it from outside.
func TestJail(t *testing.T) {
	requireRoot(t)
	for _, chroot := range []bool{true, false} {
		t.Run(fmt.Sprintf("chroot %t", chroot), func(t *testing.T) {
			w := newWorld(t, "mail_owner = "+ownerName(t)+"\n")
			zone := filepath.Join(w.dir, "zone")
			writeZone(t, zone, 3*3600+25*60)
			args := []string{"-l", "-t", "unix", "-u", "cwd", "regain", "notify", "info=one", "wait", "info=two"}
			if chroot {
				args = append([]string{"-c"}, args...)
			}
			cmd := w.command(t, probePath(t), args, []string{"TZ=" + zone, "GENERATION=0"})
			cmd.Stderr = os.Stderr
			stdin, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer cmd.Wait()
			defer stdin.Close()

			home := w.dir + "/queue"
			seen := home
			if chroot {
				seen = "/"
			}
			want := []string{
				seen + " <nil>",
				strings.TrimSpace(strings.Repeat("operation not permitted ", 4)),
				"<nil> <nil>",
				"waiting",
			}
			if diff := cmp.Diff(want, readLines(t, stdout, len(want))); diff != "" {
				t.Fatalf("output (-want +got):\n%s\nlog: %q", diff, w.log.all())
			}
			checkInmate(t, cmd.Process.Pid, home, chroot)
			checkStatusRecords(t, cmd)

			eventually(t, "the log", func() bool { return len(w.log.all()) == 1 })
			now := time.Now().In(time.FixedZone("", 3*3600+25*60))
			if record := w.log.all()[0]; !strings.HasSuffix(record, "]: one") || !closeTo(record, now) {
				t.Errorf("log record %q at %v", record, now)
			}
			// postlogd(8) starts anew.
			w.log.close()
			again := listenLog(t, w.log.path)
			stdin.Close()
			eventually(t, "the log", func() bool { return len(again.all()) == 1 })
			if record := again.all()[0]; !strings.HasSuffix(record, "]: two") {
				t.Errorf("log record %q", record)
			}
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

func readLines(t *testing.T, r io.Reader, n int) []string {
	t.Helper()
	var lines []string
	for scanner := bufio.NewScanner(r); len(lines) < n && scanner.Scan(); {
		lines = append(lines, scanner.Text())
	}
	return lines
}

// closeTo reports whether the time in a record is not more than a minute off.
func closeTo(record string, now time.Time) bool {
	at, err := time.ParseInLocation("2006 Jan 02 15:04:05", now.Format("2006 ")+record[:15], now.Location())
	return err == nil && now.Sub(at).Abs() < time.Minute
}

// checkInmate looks at every thread of a process in jail.
func checkInmate(t *testing.T, pid int, home string, chroot bool) {
	t.Helper()
	owner, err := realSystem().accounts.mailOwner("", ownerName(t))
	if err != nil {
		t.Fatal(err)
	}
	proc := fmt.Sprintf("/proc/%d", pid)
	threads, err := filepath.Glob(proc + "/task/*/status")
	if err != nil || len(threads) == 0 {
		t.Fatalf("no threads: %v", err)
	}
	slices.Sort(owner.groups)
	want := map[string]string{
		"Uid":        fmt.Sprintf("%[1]d %[1]d %[1]d %[1]d", owner.uid),
		"Gid":        fmt.Sprintf("%[1]d %[1]d %[1]d %[1]d", owner.gid),
		"Groups":     strings.Trim(fmt.Sprint(owner.groups), "[]"),
		"NoNewPrivs": "1",
	}
	for _, set := range []string{"CapInh", "CapPrm", "CapEff", "CapAmb"} {
		want[set] = "0000000000000000"
	}
	for _, thread := range threads {
		got := map[string]string{}
		text, err := os.ReadFile(thread)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if name, value, _ := strings.Cut(line, ":"); want[name] != "" {
				got[name] = strings.Join(strings.Fields(value), " ")
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", thread, diff)
		}
	}
	root := "/"
	if chroot {
		root = home
	}
	for name, want := range map[string]string{"root": root, "cwd": home} {
		if got, err := os.Readlink(proc + "/" + name); err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", name, got, err, want)
		}
	}
	// Who is not dumpable belongs to root in /proc.
	if info, err := os.Stat(proc + "/fd"); err != nil || info.Sys().(*syscall.Stat_t).Uid != 0 {
		t.Errorf("%s/fd: %v, %v", proc, info, err)
	}
	// No file, and no directory that is a way out.
	fds, err := filepath.Glob(proc + "/fd/*")
	if err != nil || len(fds) < 7 {
		t.Errorf("descriptors: %v, %v", fds, err)
	}
	for _, fd := range fds {
		if link, _ := os.Readlink(fd); strings.HasPrefix(link, filepath.Dir(home)) || strings.HasPrefix(link, "/etc/") {
			t.Errorf("%s is %s", fd, link)
		}
	}
}

func checkStatusRecords(t *testing.T, cmd *command) {
	t.Helper()
	buf := make([]byte, 24)
	if _, err := io.ReadFull(cmd.status, buf); err != nil {
		t.Fatal(err)
	}
	var words []uint32
	for at := 0; at < len(buf); at += 4 {
		words = append(words, binary.NativeEndian.Uint32(buf[at:]))
	}
	pid := uint32(cmd.Process.Pid)
	if diff := cmp.Diff([]uint32{pid, 0, StateTaken, pid, 0, StateAvailable}, words); diff != "" {
		t.Errorf("status records (-want +got):\n%s", diff)
	}
}

// writeZone makes a time zone file with one offset from UTC, in seconds.
func writeZone(t *testing.T, path string, offset int32) {
	t.Helper()
	zone := append([]byte("TZif"), make([]byte, 16)...)
	for _, count := range []uint32{0, 0, 0, 0, 1, 4} { // one type, with a name of 4 bytes
		zone = binary.BigEndian.AppendUint32(zone, count)
	}
	zone = binary.BigEndian.AppendUint32(zone, uint32(offset))
	zone = append(zone, 0, 0, 'X', 'Y', 'Z', 0)
	if err := os.WriteFile(path, zone, 0o644); err != nil {
		t.Fatal(err)
	}
}
