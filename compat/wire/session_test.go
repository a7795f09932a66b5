package wire

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestSession(t *testing.T) {
	for name, open := range map[string]func() (*Session, error){"pair": Pair, "TCP": TCP} {
		t.Run(name, func(t *testing.T) {
			one, two := mustOpen(t, open), mustOpen(t, open)
			if err := one.Verify(one.Local); err != nil {
				t.Error(err)
			}
			for _, other := range []int{two.Local, one.Remote, two.Remote} {
				if err := one.Verify(other); err == nil {
					t.Error("another socket passes for this one")
				}
			}
			if err := one.Say("421 bye\r\n"); err != nil {
				t.Error(err)
			}
			buf := make([]byte, 100)
			if n, err := unix.Read(one.Local, buf); err != nil || string(buf[:n]) != "421 bye\r\n" {
				t.Errorf("read %q, %v", buf[:max(n, 0)], err)
			}
			if one.Gone() {
				t.Error("gone while open")
			}
			one.CloseLocal()
			if !one.Gone() {
				t.Error("not gone when closed")
			}
			two.CloseRemote()
			if err := two.Verify(two.Local); err != nil {
				t.Errorf("a session that has hung up: %v", err)
			}
		})
	}
}

func mustOpen(t *testing.T, open func() (*Session, error)) *Session {
	t.Helper()
	s, err := open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestTokenOfAnother(t *testing.T) {
	one, two := mustOpen(t, Pair), mustOpen(t, Pair)
	one.Remote, two.Remote = two.Remote, one.Remote
	if err := two.Say("noise"); err != nil { // arrives where one's token belongs
		t.Fatal(err)
	}
	if _, err := unix.Write(two.Local, []byte("noise")); err != nil {
		t.Fatal(err)
	}
	if err := one.Verify(one.Local); err == nil || !strings.Contains(err.Error(), "token") {
		t.Errorf("verified: %v", err)
	}
}
