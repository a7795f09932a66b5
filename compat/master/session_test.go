package master

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"scache/compat/testbed"
	"scache/compat/wire"
	"scache/scached/client"
	"scache/scached/protocol"
)

// newClient connects to a daemon that speaks the default dialect.
func newClient(t *testing.T, d *Daemon) *client.Client {
	t.Helper()
	c, err := client.Dial(t.Context(), d.Socket(), protocol.Current)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// openSession returns an SMTP session over the loopback interface.
func openSession(t *testing.T) *wire.Session {
	t.Helper()
	s, err := wire.TCP()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// appearance is everything about a socket that its owner cares about.
func appearance(t *testing.T, fd int) map[string]int {
	t.Helper()
	look := map[string]int{}
	note := func(what string, value int, err error) {
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		look[what] = value
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	note("F_GETFL", flags, err)
	unread, err := unix.IoctlGetInt(fd, unix.TIOCINQ)
	note("FIONREAD", unread, err)
	for _, option := range []int{unix.SO_KEEPALIVE, unix.SO_SNDBUF, unix.SO_RCVBUF, unix.SO_REUSEADDR, unix.SO_OOBINLINE, unix.SO_PRIORITY} {
		value, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, option)
		note(fmt.Sprintf("SOL_SOCKET %d", option), value, err)
	}
	linger, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_LINGER)
	note("SO_LINGER", linger, err)
	timeout, err := unix.GetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO)
	note("SO_RCVTIMEO", int(timeout.Nano()), err)
	for _, option := range []int{unix.TCP_NODELAY, unix.TCP_KEEPIDLE, unix.TCP_USER_TIMEOUT, unix.TCP_MAXSEG} {
		value, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, option)
		note(fmt.Sprintf("IPPROTO_TCP %d", option), value, err)
	}
	return look
}

// TestSessionIsUntouched saves sessions of every appearance, and looks at what
// comes back.
func TestSessionIsUntouched(t *testing.T) {
	testbed.EachProgram(t, func(t *testing.T, program string) {
		o := Options{Program: program, Unprivileged: true, Chroot: true}
		// The reference hands out sessions with unread bytes, too.
		o.Args = []string{"-o", "scached_live_check=no"}
		d := startDaemon(t, o)
		for _, nonblocking := range []bool{false, true} {
			t.Run(fmt.Sprintf("nonblocking=%v", nonblocking), func(t *testing.T) {
				c := newClient(t, d)
				s := openSession(t)
				here := s.Local
				set := func(level, option, value int) {
					if err := unix.SetsockoptInt(here, level, option, value); err != nil {
						t.Fatal(err)
					}
				}
				set(unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
				set(unix.SOL_SOCKET, unix.SO_PRIORITY, 3)
				set(unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
				set(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 12345)
				if err := unix.SetsockoptTimeval(here, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 7}); err != nil {
					t.Fatal(err)
				}
				if err := unix.SetNonblock(here, nonblocking); err != nil {
					t.Fatal(err)
				}
				if err := s.Say("220 unread"); err != nil {
					t.Fatal(err)
				}
				before := appearance(t, here)
				if err := c.SaveEndpoint(t.Context(), 2*time.Second, "endpoint", "property", here); err != nil {
					t.Fatal(err)
				}
				during := appearance(t, here)
				back, property, err := c.FindEndpoint(t.Context(), "endpoint")
				if err != nil || property != "property" {
					t.Fatalf("find: %q, %v", property, err)
				}
				defer unix.Close(back)
				if diff := cmp.Diff(before, during); diff != "" {
					t.Errorf("while cached (-before +during):\n%s", diff)
				}
				if diff := cmp.Diff(before, appearance(t, back)); diff != "" {
					t.Errorf("found again (-before +after):\n%s", diff)
				}
				buffer := make([]byte, 100)
				if n, err := unix.Read(back, buffer); err != nil || string(buffer[:n]) != "220 unread" {
					t.Errorf("unread bytes: %q, %v", buffer[:max(n, 0)], err)
				}
				if err := s.Verify(back); err != nil {
					t.Error(err)
				}
			})
		}
	})
}

// TestDescriptorsComeBack saves 10,000 sessions, finds every other one, and lets
// the rest expire.
func TestDescriptorsComeBack(t *testing.T) {
	testbed.EachProgram(t, func(t *testing.T, program string) {
		d := startDaemon(t, Options{Program: program, Unprivileged: true, NoFile: 12000})
		c := newClient(t, d)
		before, err := d.Descriptors()
		if err != nil {
			t.Fatal(err)
		}
		here := openSession(t).Local
		found := 0
		for i := range 10000 {
			endpoint := fmt.Sprint("endpoint", i%7)
			if err := c.SaveEndpoint(t.Context(), time.Second, endpoint, "p", here); err != nil {
				t.Fatal(err)
			}
			if i%2 == 1 {
				continue
			}
			switch back, _, err := c.FindEndpoint(t.Context(), endpoint); {
			case err == nil:
				found++
				unix.Close(back)
			case !errors.Is(err, client.ErrNotFound):
				t.Fatal(err)
			}
		}
		if found < 4000 {
			t.Errorf("found %d sessions of 10000", found)
		}
		if err := d.WaitDescriptors(len(before), 10*time.Second); err != nil {
			after, _ := d.Descriptors()
			t.Errorf("%v; %d before, %d after", err, len(before), len(after))
		}
	})
}

// TestStartup measures the time from the start of the process to its greeting.
func TestStartup(t *testing.T) {
	testbed.NeedRoot(t)
	program := testbed.Scached(t)
	var times []time.Duration
	for range 7 {
		d := startDaemon(t, Options{Program: program, Unprivileged: true, Chroot: true})
		newClient(t, d)
		times = append(times, time.Since(d.Started))
		d.Close()
	}
	slices.Sort(times)
	t.Logf("start to greeting: %v", times)
	if best := times[0]; best > 50*time.Millisecond {
		t.Errorf("the greeting took %v at best, want at most 50ms", best)
	}
}
