package client

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"scache/scached/protocol"
	"scache/scached/server"
)

// discard is a logger for servers whose log does not matter.
type discard struct{}

func (discard) Info(string)    {}
func (discard) Warning(string) {}

// listen returns a listening socket and its path.
func listen(t *testing.T) (fd int, path string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "sc")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path = filepath.Join(dir, "s")
	fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 10); err != nil {
		t.Fatal(err)
	}
	return fd, path
}

// serve runs a server until the test ends, and returns its socket.
func serve(t *testing.T, dialect protocol.Dialect) (path string) {
	t.Helper()
	fd, path := listen(t)
	s, err := server.New(server.Config{Name: "scache", Dialect: dialect, TTLLimit: 10 * time.Second,
		Log: discard{}, Listen: []int{fd}, Master: -1, Notify: func(bool) {}, LiveCheck: true,
		MaxIdle: time.Hour, IPCTimeout: time.Hour, Statistics: time.Hour, StringLimit: 1 << 16})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Run() }()
	t.Cleanup(func() {
		s.Terminate()
		if err := <-done; err != nil {
			t.Error(err)
		}
		s.Close()
	})
	return path
}

// pair is a session and its remote end.
func pair(t *testing.T) (session, remote int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fds[0]); unix.Close(fds[1]) })
	return fds[0], fds[1]
}

// check fails the test unless what is said into session comes out of remote.
func check(t *testing.T, session, remote int) {
	t.Helper()
	defer unix.Close(session)
	if _, err := unix.Write(session, []byte("QUIT")); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 10)
	if n, err := unix.Read(remote, buffer); err != nil || string(buffer[:n]) != "QUIT" {
		t.Errorf("another session came back: %q, %v", buffer[:max(n, 0)], err)
	}
}

func TestDialects(t *testing.T) {
	for _, dialect := range protocol.Dialects {
		t.Run(dialect.Version, func(t *testing.T) {
			c, err := Dial(t.Context(), serve(t, dialect), dialect)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			session, remote := pair(t)
			if _, _, err := c.FindEndpoint(t.Context(), "e"); err != ErrNotFound {
				t.Errorf("find_endp in an empty cache: %v", err)
			}
			if _, _, _, err := c.FindDestination(t.Context(), "d"); err != ErrNotFound {
				t.Errorf("find_dest in an empty cache: %v", err)
			}
			for range 3 {
				if err := c.SaveDestination(t.Context(), 5*time.Second, "d", "of the binding", "e"); err != nil {
					t.Fatal(err)
				}
				if err := c.SaveEndpoint(t.Context(), 5*time.Second, "e", "of the SMTP session", session); err != nil {
					t.Fatal(err)
				}
				found, binding, property, err := c.FindDestination(t.Context(), "d")
				if err != nil || binding != "of the binding" || property != "of the SMTP session" {
					t.Fatalf("find_dest: %q, %q, %v", binding, property, err)
				}
				check(t, found, remote)
				if err := c.SaveEndpoint(t.Context(), 5*time.Second, "e", "", session); err != nil {
					t.Fatal(err)
				}
				found, property, err = c.FindEndpoint(t.Context(), "e")
				if err != nil || property != "" {
					t.Fatalf("find_endp: %q, %v", property, err)
				}
				check(t, found, remote)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	dialect := protocol.Current
	c, err := Dial(t.Context(), serve(t, dialect), dialect)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	session, _ := pair(t)
	var status StatusError
	if err := c.SaveEndpoint(t.Context(), -time.Second, "e", "p", session); !errors.As(err, &status) || status != 1 {
		t.Errorf("save_endp with a bad ttl: %v", err)
	}
	if err := c.SaveDestination(t.Context(), -time.Second, "d", "p", "e"); !errors.As(err, &status) || status != 1 {
		t.Errorf("save_dest with a bad ttl: %v", err)
	}
	if err := c.SaveDestination(t.Context(), time.Second, "d", "p", "e"); err != nil {
		t.Errorf("the client is of no use after that: %v", err)
	}
}

// TestTimeToLive counts whole seconds, and no less than the caller asked for.
func TestTimeToLive(t *testing.T) {
	for ttl, want := range map[time.Duration]int{
		0: 0, -time.Second: -1, 1: 1, time.Second: 1, time.Second + 1: 2, 90 * time.Minute: 5400,
	} {
		if got := seconds(ttl); got != want {
			t.Errorf("%v is %d seconds, want %d", ttl, got, want)
		}
	}
}

func TestEmptyDialect(t *testing.T) {
	if _, err := Dial(t.Context(), serve(t, protocol.Current), protocol.Dialect{}); err == nil || !strings.Contains(err.Error(), "dialect") {
		t.Errorf("error %v", err)
	}
}

// silent is a client whose server says nothing, and the server's end.
func silent(t *testing.T) (c *Client, server int) {
	t.Helper()
	here, there := pair(t)
	copied, err := unix.FcntlInt(uintptr(here), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(copied), "client")
	defer f.Close()
	conn, err := net.FileConn(f)
	if err != nil {
		t.Fatal(err)
	}
	c, err = New(t.Context(), conn.(*net.UnixConn), protocol.Dialects[1])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, there
}

// TestSilence is about servers that do not answer, or go away.
func TestSilence(t *testing.T) {
	for _, tt := range []struct {
		name string
		want error
		act  func(server int)
	}{
		{"no answer", os.ErrDeadlineExceeded, func(int) {}},
		{"gone", unix.EPIPE, func(server int) { unix.Shutdown(server, unix.SHUT_RDWR) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, server := silent(t)
			c.Timeout = 20 * time.Millisecond
			tt.act(server)
			if _, _, err := c.FindEndpoint(t.Context(), "e"); !errors.Is(err, tt.want) {
				t.Errorf("find_endp: %v, want %v", err, tt.want)
			}
		})
	}
	if _, err := Dial(t.Context(), filepath.Join(t.TempDir(), "none"), protocol.Current); !errors.Is(err, unix.ENOENT) {
		t.Errorf("no socket: %v", err)
	}
}

// TestContext ends requests by their context, before they begin and while they
// wait for an answer.
func TestContext(t *testing.T) {
	cause := errors.New("enough")
	for name, c := range map[string]struct {
		context func() (context.Context, context.CancelFunc)
		want    error
	}{
		"cancelled before": {func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(cause)
			return ctx, func() {}
		}, cause},
		"cancelled meanwhile": {func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(t.Context())
			timer := time.AfterFunc(10*time.Millisecond, func() { cancel(cause) })
			return ctx, func() { timer.Stop() }
		}, cause},
		"deadline": {func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(t.Context(), 10*time.Millisecond)
		}, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			client, _ := silent(t)
			ctx, cancel := c.context()
			defer cancel()
			if _, _, err := client.FindEndpoint(ctx, "e"); !errors.Is(err, c.want) {
				t.Errorf("find_endp: %v, want %v", err, c.want)
			}
		})
	}
}

// TestDialWaits connects to a server that has as many clients waiting as it may
// have, until there is room, or the context is done.
func TestDialWaits(t *testing.T) {
	fd, path := listen(t)
	dialect := protocol.Dialects[1] // without a greeting, nobody need accept
	var waiting []*Client
	defer func() {
		for _, c := range waiting {
			c.Close()
		}
	}()
	for full := false; !full; {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		c, err := Dial(ctx, path, dialect)
		switch {
		case err == nil:
			waiting = append(waiting, c)
		case errors.Is(err, context.DeadlineExceeded):
			full = true
		default:
			t.Fatal(err)
		}
		cancel()
	}
	go func() {
		if accepted, _, err := unix.Accept(fd); err == nil {
			unix.Close(accepted)
		}
	}()
	c, err := Dial(t.Context(), path, dialect)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}
