package server

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"scache/compat/testbed"
	"scache/compat/wire"
)

// smtpProperty is what smtp(8) saves with a session.
const smtpProperty = "tls_level=0\nreuse_count=1\nendpoint_features=143\nexpire_time=1780000000\n\n"

// quitPatience is how long anything may take on a busy machine.
const quitPatience = 20 * time.Second

// A quitPeer is an administrator and a client of a server that says QUIT.
type quitPeer struct {
	*testing.T
	*wire.Client
	path string
	log  *recorder
}

func newQuitPeer(t *testing.T, change func(*Config)) *quitPeer {
	path, log := startServer(t, func(c *Config) {
		c.Quit, c.Control, c.Version, c.TTLLimit = true, true, "1", time.Hour
		if change != nil {
			change(c)
		}
	})
	return &quitPeer{T: t, Client: greeted(t, path), path: path, log: log}
}

// save saves the local end of a session, and leaves it to the server.
func (p *quitPeer) save(s *wire.Session, property string) {
	p.Helper()
	if err := p.Ask(wire.List("request", "save_endp", "ttl", "100", "label", "smtp\ne\n", "property", property), wire.Dummy); err != nil {
		p.Fatal(err)
	}
	if err := p.Send("\x00", s.Local); err != nil {
		p.Fatal(err)
	}
	if err := p.Expect(wire.Done); err != nil {
		p.Fatal(err)
	}
	s.CloseLocal()
}

// flush drops everything.
func (p *quitPeer) flush() {
	p.Helper()
	for cursor := ""; ; {
		if err := p.Send(wire.List("request", "scached_flush", "transport", "", "destination", "", "endpoint", "", "match", "prefix", "cursor", cursor)); err != nil {
			p.Fatal(err)
		}
		if cursor = p.value("cursor"); cursor == "" {
			return
		}
	}
}

// value reads an answer, and returns the value of a name.
func (p *quitPeer) value(name string) string {
	p.Helper()
	var answer []byte
	one := make([]byte, 1)
	for !strings.HasSuffix(string(answer), "\x00\x00") || strings.HasSuffix(string(answer), "\x00cursor\x00\x00") {
		if err := p.ReadFull(one); err != nil {
			p.Fatal(err)
		}
		answer = append(answer, one...)
	}
	words := strings.Split(string(answer), "\x00")
	for i := 0; i+1 < len(words); i += 2 {
		if words[i] == name {
			return words[i+1]
		}
	}
	p.Fatalf("no %s in %q", name, answer)
	return ""
}

func (p *quitPeer) metric(name string) string {
	p.Helper()
	if err := p.Send(wire.List("request", "scached_status")); err != nil {
		p.Fatal(err)
	}
	return p.value(name)
}

// quits are the three counters.
func (p *quitPeer) quits() string {
	var counts []string
	for _, result := range []string{"answered", "unanswered", "skipped"} {
		counts = append(counts, p.metric(`quits_total{result="`+result+`"}`))
	}
	return strings.Join(counts, " ")
}

func (p *quitPeer) wantQuits(want string) {
	p.Helper()
	deadline := time.Now().Add(quitPatience)
	for p.quits() != want {
		if time.Now().After(deadline) {
			p.Fatalf("QUITs answered, unanswered, skipped: %s, want %s", p.quits(), want)
		}
		time.Sleep(time.Millisecond)
	}
}

// heard reads from the remote end of a session until it ends, or so much has come.
func (p *quitPeer) heard(s *wire.Session, most int) (text string, ended bool) {
	p.Helper()
	buffer := make([]byte, 100)
	for len(text) < most {
		poll := []unix.PollFd{{Fd: int32(s.Remote), Events: unix.POLLIN}}
		if n, err := unix.Poll(poll, int(quitPatience/time.Millisecond)); n == 0 && err == nil {
			p.Fatalf("nothing follows after %q", text)
		}
		n, err := unix.Read(s.Remote, buffer)
		switch {
		case err == unix.EAGAIN || err == unix.EINTR:
			continue
		case err != nil || n == 0:
			return text, true
		}
		text += string(buffer[:n])
	}
	return text, false
}

const quitText = "QUIT\r\n"

func newSession(t *testing.T, open func() (*wire.Session, error)) *wire.Session {
	t.Helper()
	s, err := open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// A session that is flushed is sent QUIT, and closed when the remote end has
// closed it, or after a second.
func TestQuit(t *testing.T) {
	for _, test := range []struct {
		name     string
		open     func() (*wire.Session, error)
		property string
		before   func(s *wire.Session) // it ends
		heard    string
		after    func(s *wire.Session) // QUIT has come
		quits    string
		least    time.Duration // that it lingers
	}{
		{name: "TCP", open: wire.TCP, heard: quitText, after: sayGoodbyeAndClose, quits: "1 0 0"},
		{name: "UNIX-domain", open: wire.Pair, heard: quitText, after: sayGoodbyeAndClose, quits: "1 0 0"},
		{name: "the remote end just closes", open: wire.TCP, heard: quitText, after: (*wire.Session).CloseRemote, quits: "0 1 0"},
		{name: "the remote end resets the connection", open: wire.TCP, heard: quitText, after: resetRemote, quits: "0 1 0"},
		{name: "no answer", open: wire.TCP, heard: quitText, quits: "0 1 0", least: lingerTime},
		{name: "no answer of a UNIX-domain socket", open: wire.Pair, heard: quitText, quits: "0 1 0", least: lingerTime},
		{name: "an answer and no end", open: wire.TCP, heard: quitText, after: func(s *wire.Session) { s.Say("221 Bye\r\n") }, quits: "1 0 0", least: lingerTime},
		{name: "an unread 421", open: wire.TCP, before: func(s *wire.Session) { s.Say("421 Timeout\r\n") }, quits: "0 0 1"},
		{name: "an unread 421 through a UNIX-domain socket", open: wire.Pair, before: func(s *wire.Session) { s.Say("421 Timeout\r\n") }, quits: "0 0 1"},
		{name: "ended by the remote end", open: wire.TCP, before: (*wire.Session).CloseRemote, quits: "0 0 1"},
		{name: "not saved by smtp(8)", open: wire.TCP, property: "property", quits: "0 0 0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newQuitPeer(t, nil)
			s := newSession(t, test.open)
			property := smtpProperty
			if test.property != "" {
				property = test.property
			}
			p.save(s, property)
			if test.before != nil {
				test.before(s)
			}
			start := time.Now()
			p.flush()
			if s.Remote >= 0 {
				text, _ := p.heard(s, max(len(test.heard), 1))
				if diff := cmp.Diff(test.heard, text); diff != "" {
					t.Errorf("the remote end hears (-want +got):\n%s", diff)
				}
			}
			if test.after != nil {
				test.after(s)
			}
			p.wantQuits(test.quits)
			if took := time.Since(start); took < test.least {
				t.Errorf("closed after %v, want %v", took, test.least)
			}
			for deadline := time.Now().Add(quitPatience); p.metric("descriptors") != "1"; time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("%s descriptors are left", p.metric("descriptors"))
				}
			}
			if got := p.metric("lingering"); got != "0" {
				t.Errorf("%s sessions linger", got)
			}
		})
	}
}

func sayGoodbyeAndClose(s *wire.Session) {
	s.Say("221 Bye\r\n")
	s.CloseRemote()
}

func resetRemote(s *wire.Session) {
	unix.SetsockoptLinger(s.Remote, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	unix.Close(s.Remote)
	s.Remote = -1
}

// Only a TCP connection is shut down after QUIT: tlsproxy(8) would take the end of
// what it reads for the end of everything.
func TestQuitShutsDown(t *testing.T) {
	p := newQuitPeer(t, nil)
	tcp, local := newSession(t, wire.TCP), newSession(t, wire.Pair)
	p.save(tcp, smtpProperty)
	p.save(local, smtpProperty)
	p.flush()
	if text, ended := p.heard(tcp, len(quitText)+1); text != quitText || !ended {
		t.Errorf("TCP: %q, ended %v", text, ended)
	}
	if text, _ := p.heard(local, len(quitText)); text != quitText {
		t.Errorf("UNIX-domain: %q", text)
	}
	if local.Gone() {
		t.Error("the UNIX-domain socket was shut down")
	}
}

// Whoever has it open, too, finds it as it was: it blocks, or does not.
func TestQuitLeavesFlagsAlone(t *testing.T) {
	for _, nonblocking := range []bool{false, true} {
		p := newQuitPeer(t, nil)
		s := newSession(t, wire.TCP)
		if err := unix.SetNonblock(s.Local, nonblocking); err != nil {
			t.Fatal(err)
		}
		copied, err := unix.FcntlInt(uintptr(s.Local), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(copied)
		before, _ := unix.FcntlInt(uintptr(copied), unix.F_GETFL, 0)
		p.save(s, smtpProperty)
		p.flush()
		p.heard(s, len(quitText))
		sayGoodbyeAndClose(s)
		p.wantQuits("1 0 0")
		if after, err := unix.FcntlInt(uintptr(copied), unix.F_GETFL, 0); err != nil || after != before {
			t.Errorf("flags %#x, before %#x, %v", after, before, err)
		}
	}
}

// What is no connection is closed, whatever the client says that it is.
func TestQuitOfAnything(t *testing.T) {
	p := newQuitPeer(t, nil)
	datagrams, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(datagrams[1])
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pipe[0])
	listening, err := wire.ListenTCP(1)
	if err != nil {
		t.Fatal(err)
	}
	unconnected, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range []int{datagrams[0], pipe[1], listening, unconnected} {
		p.save(&wire.Session{Local: fd, Remote: -1}, smtpProperty)
	}
	p.flush()
	p.wantQuits("0 0 4")
	for _, fd := range []int{datagrams[1], pipe[0]} {
		unix.SetNonblock(fd, true)
		if n, err := unix.Read(fd, make([]byte, 10)); n > 0 {
			t.Errorf("somebody was sent %d bytes, %v", n, err)
		}
	}
}

// A session that a limit pushes out, and one that expires, end like one that is
// flushed.
func TestQuitByLimitAndTime(t *testing.T) {
	p := newQuitPeer(t, func(c *Config) { c.Limits.Sessions, c.TTLLimit = 1, time.Second })
	first, second := newSession(t, wire.TCP), newSession(t, wire.TCP)
	p.save(first, smtpProperty)
	p.save(second, smtpProperty)
	for _, s := range []*wire.Session{first, second} {
		if text, _ := p.heard(s, len(quitText)); text != quitText {
			t.Errorf("%q", text)
		}
		sayGoodbyeAndClose(s)
	}
	p.wantQuits("2 0 0")
	for reason, want := range map[string]string{"expired": "1", "limit": "1"} {
		if got := p.metric(`sessions_closed_total{reason="` + reason + `"}`); got != want {
			t.Errorf("closed as %s: %s", reason, got)
		}
	}
}

// No more than so many linger: those that have waited for longest are closed.
func TestQuitLingersInNumbers(t *testing.T) {
	p := newQuitPeer(t, nil)
	const extra = 5
	sessions := make([]*wire.Session, mostLingering+extra)
	for i := range sessions {
		sessions[i] = newSession(t, wire.Pair)
		p.save(sessions[i], smtpProperty)
	}
	p.flush()
	for _, s := range sessions {
		if text, _ := p.heard(s, len(quitText)); text != quitText {
			t.Fatalf("%q", text)
		}
	}
	p.wantQuits(fmt.Sprintf("0 %d 0", len(sessions)))
}

// When descriptors are short the sessions that linger are the first to go, and no
// session that is cached.
func TestQuitGoesFirst(t *testing.T) {
	listen, path := listener(t)
	config := testConfig(listen, &recorder{})
	config.Quit, config.Control, config.Version, config.TTLLimit = true, true, "1", time.Hour
	server, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	const few = 8
	server.capacity = few
	done := make(chan error, 1)
	go func() { done <- server.Run() }()
	t.Cleanup(func() {
		server.Terminate()
		if err := <-done; err != nil {
			t.Error(err)
		}
		server.Close()
	})
	p := &quitPeer{T: t, Client: greeted(t, path), path: path}
	for range few - 2 {
		s := newSession(t, wire.Pair)
		p.save(s, smtpProperty)
		p.flush()
		p.heard(s, len(quitText))
	}
	kept := newSession(t, wire.Pair)
	p.save(kept, smtpProperty)
	for range few - 2 {
		greeted(t, path)
	}
	if got := p.metric("sessions"); got != "1" {
		t.Errorf("%s sessions are left", got)
	}
	if kept.Gone() {
		t.Error("the cached session is gone")
	}
}

// A server that ends says QUIT to all it has, and waits for no answer.
func TestQuitAtTheEnd(t *testing.T) {
	listen, path := listener(t)
	config := testConfig(listen, &recorder{})
	config.Quit, config.Control, config.Version, config.TTLLimit = true, true, "1", time.Hour
	server, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- server.Run() }()
	p := &quitPeer{T: t, Client: greeted(t, path), path: path}
	const many = 400
	sessions := make([]*wire.Session, many)
	for i := range sessions {
		sessions[i] = newSession(t, []func() (*wire.Session, error){wire.TCP, wire.Pair}[i%2])
		p.save(sessions[i], smtpProperty)
	}
	start := time.Now()
	server.Terminate()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("it took %v", took)
	}
	server.Close()
	for i, s := range sessions {
		if text, ended := p.heard(s, len(quitText)+1); text != quitText || !ended {
			t.Fatalf("session %d: %q, ended %v", i, text, ended)
		}
	}
}

// Another process that has a session open, too, can keep its socket locked. That
// keeps QUIT from it, and nobody waiting.
func TestQuitIntoLockedSession(t *testing.T) {
	p := newQuitPeer(t, nil)
	stuck := make([]*wire.Session, quitters)
	for i := range stuck {
		stuck[i] = newSession(t, wire.TCP)
		copied, err := unix.FcntlInt(uintptr(stuck[i].Local), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		lock(t, copied)
		p.save(stuck[i], smtpProperty)
	}
	p.flush()
	var free []*wire.Session
	for range 3 {
		s := newSession(t, wire.TCP)
		free = append(free, s)
		p.save(s, smtpProperty)
	}
	start := time.Now()
	p.flush()
	p.metric("lingering")
	if took := time.Since(start); took > quitPatience {
		t.Errorf("a client waits for %v", took)
	}
	for _, s := range free { // all threads hang: closed without QUIT
		if text, ended := p.heard(s, 1); text != "" || !ended {
			t.Errorf("%q, ended %v", text, ended)
		}
	}
	p.wantQuits("0 0 3")
}

// lock keeps the socket locked until the test ends, and takes ownership of the
// descriptor: a send waits for memory that nobody provides (userfaultfd(2)).
func lock(t *testing.T, fd int) {
	t.Helper()
	m, err := wire.NewTrap()
	if errors.Is(err, unix.EPERM) {
		testbed.SkipLocally(t, err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.Send(fd)
	}()
	t.Cleanup(func() {
		m.Release()
		<-done
		unix.Close(fd)
	})
	for deadline := time.Now().Add(quitPatience); !m.Sprung(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nobody is in the trap")
		}
	}
}
