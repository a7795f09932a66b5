package simulate

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"scache/compat/testbed"
)

// mutants are servers with a mistake in them, of every kind that there is an
// invariant for: what to change in which file.
var mutants = []struct{ name, file, old, new string }{
	{"a descriptor is closed twice", "scached/protocol/handover.go", "	c.session = -1\n	counters", "	c.service.Close(c.session)\n	c.session = -1\n	counters"},
	{"a descriptor is left open", "scached/protocol/handover.go", "	c.service.Close(c.session)\n	c.session = -1\n", "	c.session = -1\n"},
	{"surplus descriptors are left open", "scached/server/client.go", "	for _, fd := range fds {\n		s.descriptors.close(fd)\n	}\n	c.surplus", "	c.surplus"},
	{"a session goes to two clients", "scached/cache/multi.go", "	i.session = -1\n	m.drop(i, Taken)\n", ""},
	{"a client's descriptor is closed while it is watched", "scached/server/client.go", "	s.kernel.Watch(unix.EPOLL_CTL_DEL, c.fd, 0, 0)\n", ""},
	{"clients are left open at the end", "scached/server/server.go", "func (s *Server) disconnectAll() {", "func (s *Server) disconnectAll() {\n	return"},

	{"a second late", "scached/cache/wheel.go", "if i.due <= w.now {", "if i.due < w.now {"},
	{"the loop sleeps while a session expires", "scached/server/server.go", "		shorten(untilNext + time.Duration(due-seconds-1)*time.Second)\n", "		_, _, _ = untilNext, due, seconds\n"},
	{"the clock is set back", "scached/server/clock.go", "ahead > 0 {", "ahead != 0 {"},
	{"what is dropped is not closed soon", "scached/server/server.go", "	s.descriptors.sweep(0)\n}\n\n// Report", "}\n\n// Report"},

	{"forgets the buffer rule", "scached/protocol/request.go", "	if !c.duplex {\n		c.in = nil\n	}\n", ""},
	{"last in first out", "scached/cache/multi.go", "looks > 0; length-- {\n		i := l.items.first\n", "looks > 0; length-- {\n		i := l.items.last\n"},
	{"a binding is not renewed", "scached/cache/multi.go", "		m.wheel.set(i, ttl)\n		m.bindings.use(i)\n", "		m.bindings.use(i)\n"},
	{"the binding that was used last is given up", "scached/cache/multi.go", "			m.bindings.use(i)\n			return found, true", "			return found, true"},
	{"a lookup in the wrong name space", "scached/protocol/request.go", "FindEndpoint(c.label(list, 0))", "FindEndpoint(c.scan.Bytes(list, 0))"},
	{"a dead session is handed out", "scached/server/descriptor.go", " && d.received(fd) == 0", ""},
	{"the newest session is given up", "scached/cache/limits.go", "			m.giveUp(m.sessions.first, SessionLimit)", "			m.giveUp(m.sessions.last, SessionLimit)"},

	{"nobody waits until a client can be written to", "scached/server/client.go", "			c.conn.Written(n)\n		case unix.EAGAIN:\n			s.await(c, unix.EPOLLOUT)\n", "			c.conn.Written(n)\n		case unix.EAGAIN:\n"},
	{"a client that was written to is not read from", "scached/server/client.go", "				s.await(c, unix.EPOLLIN)\n", ""},
	{"an event over and over", "scached/server/answerread.go", "unix.EPOLLOUT|unix.EPOLLET", "unix.EPOLLOUT"},
	{"new clients are not accepted again", "scached/server/server.go", "		s.listen(true)\n", ""},
	{"a client that has ended its request is thought to be in it", "scached/server/client.go", "			s.settle(c) // whether or not there is more to read\n			if received {\n", "			if received {\n				s.settle(c)\n"},
	{"who stops in the middle stays", "scached/server/server.go", "		s.disconnectLate(c)\n", "		break\n"},

	{"a close on the loop that takes time", "scached/server/descriptor.go", "	return false\n}\n\nfunc (d *descriptors) lingers", "	return true\n}\n\nfunc (d *descriptors) lingers"},
	{"a close that lingers on the loop", "scached/server/descriptor.go", "&& !d.lingers(fd)", ""},
	{"the kernel closes on the loop", "scached/server/client.go", "	s.kernel.SetOption(fd, unix.SO_OOBINLINE, true)\n", ""},
	{"an unread queue is closed on the loop", "scached/server/client.go", "if c.ended || s.nothingQueued(c.fd) {", "if true {"},
	{"a turn serves a client as long as it speaks", "scached/server/client.go", "			if received {\n				return\n			}\n", "			_ = received\n"},

	{"a signal breaks a connection", "scached/server/client.go", "; err != unix.EINTR {", "; true {"},
	{"a shortage is tried again at once", "scached/server/accept.go", "		s.pauseListening(longPause)\n", ""},
	{"a client for whom there is no room is looked at all the time", "scached/server/client.go", "		s.postpone(c)\n", ""},
	{"a client that cannot be watched", "scached/server/client.go", "	c.conn.Open(s.service, false)\n", "	defer c.conn.Open(s.service, false)\n"},
	{"descriptors cannot be sent when they are due", "scached/server/client.go", "on := !due && ", "on := "},
	{"a descriptor is sent too early", "scached/protocol/dialect.go", "func (d Dialect) needsRead() bool { return !d.Before }", "func (d Dialect) needsRead() bool { return false }"},
	{"a promise is broken at the end", "scached/server/server.go", "s.ending.IsZero() || s.promised() &&", "s.ending.IsZero() || false &&"},
	{"promises after the end", "scached/server/end.go", "	s.service.Forget()\n", ""},

	{"no QUIT", "scached/protocol/quit.go", "		return fromSMTP(c.Property)\n", "		return false\n"},
	{"QUIT to anybody", "scached/protocol/quit.go", "		return fromSMTP(c.Property)\n", "		return true\n"},
	{"who was sent QUIT stays", "scached/server/quit.go", "s.now.Add(lingerTime)", "s.now.Add(time.Hour)"},

	{"hits are not counted", "scached/protocol/handover.go", "counters.Destination.Hits++", "_ = c"},
	{"hand-overs that fail are not counted", "scached/protocol/handover.go", "		counters.HandoversFailed++\n", "		_ = counters\n"},
	{"what expires is not counted", "scached/protocol/service.go", "	s.Counters.SessionsClosed[c.Reason]++\n", "	if c.Reason != cache.Expired {\n		s.Counters.SessionsClosed[c.Reason]++\n	}\n"},
	{"descriptors are miscounted", "scached/server/descriptor.go", "		d.open--\n", "		if d.plain(fd) {\n			d.open--\n		}\n"},
}

// mutantSeeds is within how many seeds each has to be found.
const mutantSeeds = "10000"

// A server with a mistake does not live long.
func TestMutants(t *testing.T) {
	var names []string
	for _, m := range mutants {
		names = append(names, m.name)
	}
	all := testbed.NewMutants(t, "simulation", "Mistakes made in the daemon on purpose, within "+mutantSeeds+" seeds each", names)
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			program := buildMutant(t, m.file, m.old, m.new)
			out, err := exec.Command(program, "-test.run", "^TestSeeds$", "-test.v", "-seeds", mutantSeeds, "-failures", "1").CombinedOutput()
			if failed := new(exec.ExitError); !errors.As(err, &failed) {
				t.Fatalf("not found in %s seeds: %v", mutantSeeds, err)
			}
			found := regexp.MustCompile(`seed [0-9]+, turn.*; without`).FindString(string(out))
			if found == "" {
				t.Fatalf("ends with %v, and finds nothing:\n%s", err, out)
			}
			found = strings.TrimSuffix(found, "; without")
			t.Log(found)
			all.Found(m.name, found)
		})
	}
}

// buildMutant builds these tests with a mistake in the server.
func buildMutant(t *testing.T, file, old, new string) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "simulate.test")
	build := exec.Command("go", "test", "-c", "-vet=off", "-ldflags=-s -w", testbed.Overlay(t, file, old, new), "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go test -c: %v\n%s", err, out)
	}
	return program
}
