package server

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"scache/compat/wire"
	"scache/scached/protocol"
	"scache/testdata"
)

// TestClients has the client library of each version of Postfix speak to a
// server over a socket, in its dialect, again and again. It reads as they all do:
// a read(2) for a whole answer, which takes what is there, and a recvmsg(2) for the
// byte with the descriptor. In the dialect of the snapshot that only works if the
// byte is not there yet.
func TestClients(t *testing.T) {
	clients, err := testdata.Clients()
	if err != nil {
		t.Fatal(err)
	}
	for _, client := range clients {
		t.Run(client.Version, func(t *testing.T) {
			t.Parallel()
			dialect, ok := protocol.FindDialect(client.Dialect)
			if !ok {
				t.Fatalf("there is no dialect %s", client.Dialect)
			}
			path, log := startServer(t, func(c *Config) {
				c.Dialect, c.TTLLimit, c.LiveCheck = dialect, 100_000*time.Second, false
			})
			rounds := 100
			if !dialect.Before {
				rounds = 10 // in which each descriptor waits for a while
			}
			for range rounds {
				l := &library{T: t, path: path}
				l.play(client)
			}
			if lines := log.snapshot(); len(lines) > 0 {
				t.Errorf("log:\n%s", strings.Join(lines, "\n"))
			}
		})
	}
}

// A library is the client library of some version, with a connection.
type library struct {
	*testing.T
	path string
	c    *wire.Client
}

func (l *library) play(client testdata.Client) {
	defer func() {
		if l.c != nil {
			l.c.Close()
		}
	}()
	expires := false
	for n, step := range client.Steps {
		if step.Op != "" {
			expires = strings.HasSuffix(step.Op, " short") // whose second is over when it is looked for
		}
		switch {
		case step.Op != "" || expires:
		case step.Connect:
			if l.c != nil {
				l.c.Close()
			}
			c, err := wire.Dial(l.path, patience)
			if err != nil {
				l.Fatal(err)
			}
			l.c = c
		case step.ToServer && step.FDs == 1:
			l.sendSession(n)
		case step.ToServer:
			if err := l.c.Send(step.Data); err != nil {
				l.Fatalf("step %d: %v", n, err)
			}
		case step.FDs == 1:
			session, err := l.c.ReceiveSession()
			if err != nil {
				l.Fatalf("step %d: the descriptor: %v", n, err)
			}
			unix.Close(session)
		default:
			if diff := cmp.Diff(step.Data, l.read(len(step.Data))); diff != "" {
				l.Fatalf("step %d (-reference +ours):\n%s", n, diff)
			}
		}
	}
}

func (l *library) sendSession(n int) {
	pair, err := wire.Pair()
	if err != nil {
		l.Fatal(err)
	}
	defer pair.Close()
	if err := l.c.Send("\x00", pair.Local); err != nil {
		l.Fatalf("step %d: %v", n, err)
	}
}

// read reads an answer as the library's buffered stream does.
func (l *library) read(length int) string {
	var answer []byte
	buffer := make([]byte, 4096)
	for len(answer) < length {
		if !l.c.Await(patience) {
			l.Fatalf("after %q: no more", answer)
		}
		got, err := unix.Read(l.c.FD(), buffer)
		if err != nil && err != unix.EINTR || got == 0 {
			l.Fatalf("after %q: %d bytes, %v", answer, got, err)
		}
		answer = append(answer, buffer[:max(got, 0)]...)
	}
	return string(answer)
}
