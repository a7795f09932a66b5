package wire

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// connected returns a client and the daemon's end of its connection.
func connected(t *testing.T, patience time.Duration) (c, daemon *Client) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	listener, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(listener) })
	if err := errors.Join(unix.Bind(listener, &unix.SockaddrUnix{Name: path}), unix.Listen(listener, 1)); err != nil {
		t.Fatal(err)
	}
	if c, err = Dial(path, patience); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	fd, _, err := unix.Accept4(listener, unix.SOCK_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	if daemon, err = New(fd, patience); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(daemon.Close)
	return c, daemon
}

func TestAsk(t *testing.T) {
	for _, test := range []struct {
		name, answer, want string
		end                bool
		err                string
	}{
		{"answer", Done, Done, false, ""},
		{"another answer", Failed, Done, false, "read"},
		{"the end in the middle of it", Done[:3], Done, true, "ended"},
		{"no more of it", Done[:3], Done, false, "no answer"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, daemon := connected(t, 50*time.Millisecond)
			if err := daemon.Send(test.answer); err != nil {
				t.Fatal(err)
			}
			if test.end {
				daemon.Finish()
			}
			err := c.Ask(FindEndpoint("x"), test.want)
			if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Errorf("error %v, want one with %q", err, test.err)
			}
			if got, _, _, err := daemon.Arrived(); err != nil || string(got) != "request\x00find_endp\x00label\x00x\x00\x00" {
				t.Errorf("the daemon reads %q, %v", got, err)
			}
		})
	}
}

func TestReadAll(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(daemon *Client)
		err  error
	}{
		{"ended", (*Client).Close, nil},
		{"reset", func(daemon *Client) { daemon.Close() }, nil},
		{"not ended", func(*Client) {}, ErrNoAnswer},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, daemon := connected(t, 50*time.Millisecond)
			if test.name == "reset" { // what it has not read makes it one
				if err := c.Send("unread"); err != nil {
					t.Fatal(err)
				}
			}
			if err := daemon.Send(Done); err != nil {
				t.Fatal(err)
			}
			test.end(daemon)
			if all, err := c.ReadAll(); string(all) != Done || !errors.Is(err, test.err) {
				t.Errorf("read %q, %v", all, err)
			}
		})
	}
}

func TestDescriptors(t *testing.T) {
	c, daemon := connected(t, time.Second)
	s := mustOpen(t, Pair)
	if err := daemon.Send("\x00", s.Local); err != nil {
		t.Fatal(err)
	}
	fd, err := c.ReceiveSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(fd); err != nil {
		t.Error(err)
	}
	unix.Close(fd)
	for _, data := range []string{"\x00", "x"} {
		if err := daemon.Send(data, s.Local, s.Local); err != nil {
			t.Fatal(err)
		}
		if fd, err := c.ReceiveSession(); err == nil {
			t.Errorf("two descriptors pass for one, %d", fd)
		}
	}
	// Everything that came is closed: its session is gone with its local end.
	s.CloseLocal()
	if !s.Gone() {
		t.Error("a descriptor has leaked")
	}
}

func TestArrived(t *testing.T) {
	c, daemon := connected(t, time.Second)
	s := mustOpen(t, Pair)
	long := strings.Repeat("x", 3*bufferSize)
	if _, _, ended, err := c.Arrived(); ended || err != nil {
		t.Fatalf("nothing has arrived: %v, %v", ended, err)
	}
	if err := errors.Join(daemon.Send(long), daemon.SendControl("y", Same(s.Local, MostInMessage)), daemon.Finish()); err != nil {
		t.Fatal(err)
	}
	data, fds, ended, err := c.Arrived()
	if err != nil || !ended || string(data) != long+"y" || len(fds) != MostInMessage || slices.Contains(fds, -1) {
		t.Errorf("%d bytes, %d descriptors, end %v, %v", len(data), len(fds), ended, err)
	}
	closeAll(fds)
}

func TestEnded(t *testing.T) {
	c, daemon := connected(t, time.Second)
	if err := daemon.Send("x"); err != nil {
		t.Fatal(err)
	}
	if c.Ended(0) {
		t.Error("ended while there is something to read")
	}
	daemon.HangUp()
	if !c.Ended(time.Second) {
		t.Error("not ended")
	}
}
