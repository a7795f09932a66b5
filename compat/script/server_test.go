package script

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"scache/scached/protocol"
	"scache/scached/server"
)

type noLog struct{}

func (noLog) Info(string)    {}
func (noLog) Warning(string) {}

// startServer runs a server until the test ends, and returns its socket.
func startServer(t *testing.T, dialect protocol.Dialect) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sc") // a socket's path has to be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	listen, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(listen) })
	if err := unix.Bind(listen, &unix.SockaddrUnix{Name: dir + "/s"}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(listen, 100); err != nil {
		t.Fatal(err)
	}
	s, err := server.New(server.Config{
		Name: "scache", Dialect: dialect, TTLLimit: time.Hour, Log: noLog{}, Listen: []int{listen}, Master: -1, Notify: func(bool) {},
		LiveCheck: true, MaxIdle: time.Hour, IPCTimeout: time.Hour, Statistics: time.Hour, StringLimit: 1 << 16,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	done := make(chan error)
	go func() { done <- s.Run() }()
	t.Cleanup(func() {
		s.Terminate()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return dir + "/s"
}

const serverScript = `save_endp 9 a p 12
save_endp 9 a q 13
save_dest 9 d r a
find_dest d
expect FOUND r p
find_endp a
expect FOUND q
find_endp a
expect MISS
find_dest d
expect MISS
# the remote end hangs up or speaks: not handed out
save_endp 9 a p 14
save_endp 9 a p 15
save_endp 9 a p 16
close 14
say 15 421 bye
find_endp a
expect FOUND p
close 14
size
repeat 2
save_endp 9 b p$n 1$n
end
find_endp b
`

const serverOutput = `found: dest_prop=r endp_prop=p fd=12 (save_endp 1, line 2)
found: endp_prop=q fd=13 (save_endp 2, line 3)
not found
not found
found: endp_prop=p fd=16 (save_endp 5, line 16)
unknown: error: close: no session 14
unknown: error: size: a server does not tell it
found: endp_prop=p1 fd=11 (save_endp 6, line 24)
`

func TestServer(t *testing.T) {
	for _, dialect := range protocol.Dialects {
		t.Run(dialect.Version, func(t *testing.T) {
			t.Parallel()
			path := startServer(t, dialect)
			got, err := runText(t, "cache_type server "+path+" "+dialect.Version+"\n"+serverScript, Options{Extended: true})
			if diff := cmp.Diff(serverOutput, got); diff != "" {
				t.Errorf("output (-want +got):\n%s", diff)
			}
			if !errors.Is(err, ErrFailed) { // because of close and size
				t.Errorf("ended with %v", err)
			}
		})
	}
}

// Time is real, and begins and ends with whole seconds.
func TestServerExpires(t *testing.T) {
	t.Parallel()
	path := startServer(t, protocol.Current)
	got, err := runText(t, "cache_type server "+path+"\nsave_endp 1 a p 12\nsave_endp 3 a q 13\nsleep 1\nfind_endp a\nfind_endp a\n", Options{})
	want := "found: endp_prop=q fd=13 (save_endp 2, line 3)\nnot found\n"
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("ended with %v; output (-want +got):\n%s", err, diff)
	}
}

// A script for multi runs on a server as if nobody else used it.
func TestFreshServer(t *testing.T) {
	t.Parallel()
	path := startServer(t, protocol.Current)
	const script = "cache_type multi\nfind_endp a\nsave_endp 9 a p 12\nsave_dest 9 d q a\nfind_dest d\nsave_endp 9 a p 13\ncache_type multi\nfind_dest d\n"
	var results []Result
	for range 2 {
		results = results[:0]
		_, err := runText(t, script, Options{Server: path, Found: func(_ int, r Result) { results = append(results, r) }})
		if err != nil {
			t.Error(err)
		}
		want := []Result{{}, {Found: true, ByDestination: true, DestProperty: "q", EndpProperty: "p", Session: 12, Save: 1, Line: 3}, {ByDestination: true}}
		if diff := cmp.Diff(want, results); diff != "" {
			t.Errorf("results (-want +got):\n%s", diff)
		}
	}
}

func TestServerOfAnotherDialect(t *testing.T) {
	t.Parallel()
	path := startServer(t, protocol.Current)
	// The server's greeting is taken for an answer.
	got, err := runText(t, "cache_type server "+path+" 2.3\nfind_endp a\n", Options{})
	if !errors.Is(err, ErrFailed) || !strings.HasPrefix(got, "unknown: error: find_endp: ") {
		t.Errorf("ended with %v; output:\n%s", err, got)
	}
}
