package tap

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"scache/compat/wire"
	"scache/scached/protocol"
	"scache/testdata"
)

// TestConversations plays what clients sent to the reference through a tap, and
// compares what they get with what they get without one.
func TestConversations(t *testing.T) {
	conversations, err := testdata.Conversations()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range conversations {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			var got [2][]string
			got[0] = converse(t, startServer(t, protocol.Current), c.Steps)
			got[1] = converse(t, startTap(t, startServer(t, protocol.Current), Options{Plain: true}).path, c.Steps)
			if diff := cmp.Diff(got[0], got[1]); diff != "" {
				t.Errorf("-without +with a tap:\n%s", diff)
			}
		})
	}
}

// converse takes the steps of a conversation and returns what came of each.
func converse(t *testing.T, path string, steps []testdata.Step) (outcomes []string) {
	var c *wire.Client
	for _, step := range steps {
		var err error
		switch step.Do {
		case "connect":
			c = dial(t, path)
		case "send", "send_fds":
			err = c.Send(string(step.Data), sessions(t, step.FDs)...)
		case "shutdown_write":
			err = c.Finish()
		default:
			t.Fatalf("unknown step %q", step.Do)
		}
		data, fds, ended := arrived(t, c, len(step.Recv), step.Closed != "")
		outcomes = append(outcomes, fmt.Sprintf("%s %q: %v, %q, %d descriptors, end %v", step.Do, step.Data, err, data, fds, ended))
	}
	return outcomes
}

// sessions are so many, whose remote ends are open until the test ends.
func sessions(t *testing.T, n int) (fds []int) {
	for range n {
		s, err := wire.Pair()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		fds = append(fds, s.Local)
	}
	return fds
}

// arrived reads what is expected, and what comes within a moment after that.
func arrived(t *testing.T, c *wire.Client, want int, wantEnd bool) (got []byte, fds int, ended bool) {
	const moment = 40 * time.Millisecond
	for !ended {
		wait := patience
		if len(got) >= want && !wantEnd {
			wait = moment
		}
		if !c.Await(wait) {
			break
		}
		data, more, end, err := c.Arrived()
		if err != nil {
			t.Fatal(err)
		}
		got, fds, ended = append(got, data...), fds+len(more), end
		for _, fd := range more {
			unix.Close(fd)
		}
	}
	return got, fds, ended
}

// TestClients has the client library of each version of Postfix speak through a
// tap, in its dialect. It reads as they all do: a read(2) for an answer, which takes
// what is there, and a recvmsg(2) for the byte with the descriptor.
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
			tap := startTap(t, startServer(t, dialect), Options{Plain: true})
			for range 5 {
				playClient(t, tap.path, client)
			}
			if lines := tap.log.snapshot(); len(lines) > 0 {
				t.Errorf("log:\n%s", strings.Join(lines, "\n"))
			}
		})
	}
}

func playClient(t *testing.T, path string, client testdata.Client) {
	var c *wire.Client
	defer func() { c.Close() }()
	expires := false
	for n, step := range client.Steps {
		if step.Op != "" {
			expires = strings.HasSuffix(step.Op, " short") // whose second is over when it is looked for
		}
		switch {
		case step.Op != "" || expires:
		case step.Connect:
			if c != nil {
				c.Close()
			}
			c = dial(t, path)
		case step.ToServer:
			if err := c.Send(step.Data, sessions(t, step.FDs)...); err != nil {
				t.Fatalf("step %d: %v", n, err)
			}
		case step.FDs == 1:
			session, err := c.ReceiveSession()
			if err != nil {
				t.Fatalf("step %d: the descriptor: %v", n, err)
			}
			unix.Close(session)
		default:
			if diff := cmp.Diff(step.Data, read(t, c, len(step.Data))); diff != "" {
				t.Fatalf("step %d (-recorded +through a tap):\n%s", n, diff)
			}
		}
	}
}

// read reads an answer as the library's buffered stream does.
func read(t *testing.T, c *wire.Client, length int) string {
	var answer []byte
	buffer := make([]byte, 4096)
	for len(answer) < length {
		if !c.Await(patience) {
			t.Fatalf("after %q: no more", answer)
		}
		got, err := unix.Read(c.FD(), buffer)
		if err != nil && err != unix.EINTR || got == 0 {
			t.Fatalf("after %q: %d bytes, %v", answer, got, err)
		}
		answer = append(answer, buffer[:max(got, 0)]...)
	}
	return string(answer)
}

// A bare server accepts one connection and hands it out as it is.
func bareServer(t *testing.T) (tap *tapped, accept func() *wire.Client) {
	listen, path := listener(t)
	tap = startTap(t, path, Options{Plain: true})
	return tap, func() *wire.Client {
		if !wire.Readable(listen) {
			unix.Poll([]unix.PollFd{{Fd: int32(listen), Events: unix.POLLIN}}, int(patience.Milliseconds()))
		}
		fd, _, err := unix.Accept4(listen, unix.SOCK_CLOEXEC)
		if err != nil {
			t.Fatal(err)
		}
		c, err := wire.New(fd, patience)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return c
	}
}

// TestBoundaries sends messages of which the tap finds several at once, and receives
// them one at a time.
func TestBoundaries(t *testing.T) {
	const request = "request\x00"
	for _, tc := range []struct {
		name     string
		messages []string // one with a capital letter has that many descriptors: A is 1
		want     []string // what the server receives, with what each receive brought
	}{
		{"bytes alone may be joined", []string{"abc", "def"}, []string{"abcdef"}},
		{"bytes before a descriptor", []string{request, "\x00A"}, []string{request, "\x00A"}},
		{"bytes after a descriptor", []string{"\x00A", request}, []string{"\x00A", request}},
		{"two descriptors", []string{"\x00A", "\x00A"}, []string{"\x00A", "\x00A"}},
		{"in one message", []string{"xyzC", request}, []string{"xyzC", request}},
		{"one long message before", []string{strings.Repeat("x", 9000), "\x00A"}, []string{strings.Repeat("x", 9000), "\x00A"}},
		{"a long one with a descriptor", []string{strings.Repeat("y", 9000) + "B", "ab"}, []string{strings.Repeat("y", 9000) + "B", "ab"}},
		{"many", []string{"a", "\x00A", "b", "\x00B", "c"}, []string{"a", "\x00A", "b", "\x00B", "c"}},
	} {
		for _, toClient := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, to client %v", tc.name, toClient), func(t *testing.T) {
				t.Parallel()
				tap, accept := bareServer(t)
				from := dial(t, tap.path)
				to := accept()
				if toClient {
					from, to = to, from
				}
				for _, message := range tc.messages {
					data, n := split(message)
					if err := from.Send(data, sessions(t, n)...); err != nil {
						t.Fatal(err)
					}
				}
				var got []string
				for len(strings.Join(got, "")) < len(strings.Join(tc.want, "")) {
					if !to.Await(patience) {
						t.Fatalf("after %q: no more", got)
					}
					time.Sleep(10 * time.Millisecond) // for what a tap that joins would join
					message, n := receive(t, to)
					if n > 0 {
						message += string(rune('A' + n - 1))
					}
					got = append(got, message)
				}
				if len(tc.want) == 1 {
					got = []string{strings.Join(got, "")}
				}
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			})
		}
	}
}

// split takes the number of descriptors off a message.
func split(message string) (data string, n int) {
	last := message[len(message)-1]
	if last < 'A' || last > 'Z' {
		return message, 0
	}
	return message[:len(message)-1], int(last-'A') + 1
}

// receive is one recvmsg(2).
func receive(t *testing.T, c *wire.Client) (data string, descriptors int) {
	var m messenger
	m.prepare(m.buffer[:], len(m.control)*8)
	n, errno := m.call(unix.SYS_RECVMSG, c.FD(), unix.MSG_CMSG_CLOEXEC)
	if errno != 0 {
		t.Fatal(errno)
	}
	fds := m.received()
	closeAll(fds)
	return string(m.buffer[:n]), len(fds)
}

// TestDescriptorWaits has a receiver that does not read: the descriptor after what
// it has not read stays with its sender.
func TestDescriptorWaits(t *testing.T) {
	tap, accept := bareServer(t)
	client := dial(t, tap.path)
	server := accept()
	if err := server.Send("status"); err != nil {
		t.Fatal(err)
	}
	if !client.Await(patience) {
		t.Fatal("no answer")
	}
	before := openDescriptors(t)
	if err := server.Send("\x00", sessions(t, 1)...); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * returnTime)
	if held := openDescriptors(t) - before - 2; held != 0 { // both ends of the pair are the test's
		t.Errorf("the tap holds %d descriptors", held)
	}
	// A plain read, of more than there is, loses no descriptor.
	if got := read(t, client, len("status")); got != "status" {
		t.Errorf("read %q", got)
	}
	session, err := client.ReceiveSession()
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(session)
}

// TestEnds has both sides end connections in all ways.
func TestEnds(t *testing.T) {
	t.Run("client leaves", func(t *testing.T) {
		tap, accept := bareServer(t)
		client := dial(t, tap.path)
		server := accept()
		if err := client.Send("last words"); err != nil {
			t.Fatal(err)
		}
		client.Close()
		if got, err := server.ReadAll(); string(got) != "last words" || err != nil {
			t.Errorf("read %q, %v", got, err)
		}
		if !server.Ended(patience) {
			t.Error("the server is not told")
		}
	})
	t.Run("client finishes, server answers", func(t *testing.T) {
		tap, accept := bareServer(t)
		client := dial(t, tap.path)
		server := accept()
		if err := client.Send("question"); err != nil {
			t.Fatal(err)
		}
		client.Finish()
		if got, err := server.ReadAll(); string(got) != "question" || err != nil {
			t.Errorf("read %q, %v", got, err)
		}
		if err := server.Send("answer"); err != nil {
			t.Fatal(err)
		}
		server.Close()
		if got, err := client.ReadAll(); string(got) != "answer" || err != nil {
			t.Errorf("read %q, %v", got, err)
		}
	})
	t.Run("server leaves", func(t *testing.T) {
		tap, accept := bareServer(t)
		client := dial(t, tap.path)
		server := accept()
		if err := server.Send("last words"); err != nil {
			t.Fatal(err)
		}
		server.Close()
		if got, err := client.ReadAll(); string(got) != "last words" || err != nil {
			t.Errorf("read %q, %v", got, err)
		}
		if err := client.Send("more"); err == nil {
			err = client.Send("more")
			t.Errorf("a client that writes after the end is told %v", err)
		}
	})
	t.Run("no server", func(t *testing.T) {
		tap := startTap(t, "/nonexistent", Options{Plain: true})
		client := dial(t, tap.path)
		if got, err := client.ReadAll(); len(got) > 0 || err != nil {
			t.Errorf("read %q, %v", got, err)
		}
	})
	t.Run("the reader stops", func(t *testing.T) {
		// Everything arrives all the same, and what cannot be passed on waits where it
		// comes from.
		tap, accept := bareServer(t)
		client := dial(t, tap.path)
		server := accept()
		const size = 3 << 20
		done := make(chan error, 1)
		go func() {
			err := server.Send(strings.Repeat("x", size))
			server.Close()
			done <- err
		}()
		if !client.Await(patience) {
			t.Fatal("nothing arrives")
		}
		time.Sleep(20 * time.Millisecond)
		got, err := client.ReadAll()
		if err != nil || len(got) != size {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestNothingIsLeft has many clients come and go, with descriptors.
func TestNothingIsLeft(t *testing.T) {
	path := startServer(t, protocol.Current)
	tap := startTap(t, path, Options{})
	pair := sessions(t, 1)
	round := func() {
		c, err := wire.DialGreeted(tap.path, patience)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for i := range 20 {
			if err := c.Save(fmt.Sprint("endpoint", i), "100", pair[0]); err != nil {
				t.Fatal(err)
			}
			session, err := c.Find(fmt.Sprint("endpoint", i))
			if err != nil {
				t.Fatal(err)
			}
			unix.Close(session)
		}
	}
	round()
	time.Sleep(50 * time.Millisecond) // for the server, which closes some of its descriptors later
	before := openDescriptors(t)
	for range 20 {
		round()
	}
	after := openDescriptors(t)
	for deadline := time.Now().Add(patience); after > before && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		after = openDescriptors(t)
	}
	if after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}
