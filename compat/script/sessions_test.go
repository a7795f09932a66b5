package script

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// dup is what a cache gives back: another descriptor of the same socket.
func dup(t *testing.T, fd int) int {
	t.Helper()
	copied, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return copied
}

func openSession(t *testing.T, s *sessions, number int) *saved {
	t.Helper()
	opened, err := s.open(number)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(opened.CloseLocal)
	return opened
}

func TestIdentify(t *testing.T) {
	for _, test := range []struct {
		name string
		// give returns the descriptor that comes back.
		give func(t *testing.T, s *sessions, first, second *saved) int
		want string // number, or the error
	}{
		{"the second", func(t *testing.T, s *sessions, _, second *saved) int { return dup(t, second.Local) }, "13"},
		{"hung up", func(t *testing.T, s *sessions, first, _ *saved) int {
			if err := s.closeRemote(12); err != nil {
				t.Fatal(err)
			}
			return dup(t, first.Local)
		}, "12"},
		{"has spoken", func(t *testing.T, s *sessions, first, _ *saved) int {
			if err := s.say(12, "421 bye\r\n"); err != nil {
				t.Fatal(err)
			}
			return dup(t, first.Local)
		}, "12"},
		{"the remote end of another", func(t *testing.T, s *sessions, first, second *saved) int {
			first.Remote, second.Remote = second.Remote, first.Remote
			unix.Close(dup(t, first.Local))
			// What goes into the first comes out where the second's is expected.
			if err := unix.Sendto(second.Local, []byte("noise"), 0, nil); err != nil {
				t.Fatal(err)
			}
			return dup(t, first.Local)
		}, `want the token`},
		{"the wrong end", func(t *testing.T, s *sessions, first, _ *saved) int { return dup(t, first.Remote) }, "not saved by this script"},
		{"a session of somebody else", func(t *testing.T, s *sessions, first, _ *saved) int {
			other := newSessions()
			t.Cleanup(other.close)
			return dup(t, openSession(t, &other, 12).Local)
		}, "not saved by this script"},
		{"no socket", func(t *testing.T, s *sessions, _, _ *saved) int {
			fd, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			return fd
		}, "SO_COOKIE"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSessions()
			defer s.close()
			first, second := openSession(t, &s, 12), openSession(t, &s, 13)
			found, err := s.identify(test.give(t, &s, first, second))
			got := ""
			switch {
			case err != nil:
				got = err.Error()
			case found == first:
				got = "12"
			case found == second:
				got = "13"
			}
			if !strings.Contains(got, test.want) {
				t.Errorf("identified %q, want %q", got, test.want)
			}
		})
	}
}

// A script that saves for hours does not run out of descriptors.
func TestSweep(t *testing.T) {
	s := newSessions()
	defer s.close()
	kept := openSession(t, &s, 1)
	for number := 2; number < 2000; number++ {
		gone, err := s.open(number)
		if err != nil {
			t.Fatal(err)
		}
		gone.CloseLocal()
	}
	if len(s.byCookie) > 512 || s.byCookie[kept.Cookie] != kept {
		t.Errorf("%d sessions are kept", len(s.byCookie))
	}
	if found, err := s.identify(dup(t, kept.Local)); err != nil || found != kept {
		t.Errorf("the SMTP session that is left is %v, %v", found, err)
	}
}

func TestNoSuchSession(t *testing.T) {
	s := newSessions()
	defer s.close()
	openSession(t, &s, 12)
	if err := s.closeRemote(12); err != nil {
		t.Error(err)
	}
	for _, number := range []int{12, 13} {
		if err := s.closeRemote(number); err == nil {
			t.Errorf("session %d was closed again", number)
		}
		if err := s.say(number, "hello"); err == nil {
			t.Errorf("session %d could speak", number)
		}
	}
}
