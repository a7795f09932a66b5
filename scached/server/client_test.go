package server

import (
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"scache/compat/wire"
)

// greeted is a client of a server that has greeted it, until the test ends.
func greeted(t *testing.T, path string) *wire.Client {
	t.Helper()
	c, err := wire.DialGreeted(path, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// session is a connection that can be saved, until the test ends.
func session(t *testing.T) *wire.Session {
	t.Helper()
	s, err := wire.Pair()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Once a client has sent a descriptor that nobody asked for, the kernel keeps
// everybody from doing so, where it can; and lets pass what is asked for.
func TestGuard(t *testing.T) {
	path, _ := startServer(t, nil)
	s := session(t)
	good, bad, later := greeted(t, path), greeted(t, path), greeted(t, path)
	request, answer := wire.FindEndpoint("nothing"), wire.List("status", "2", "property", "")
	if err := bad.Send(request, s.Local); err != nil {
		t.Fatal(err)
	}
	if err := bad.Expect(answer); err != nil {
		t.Fatal(err)
	}
	if !bad.Ended(patience) {
		t.Error("who has sent a descriptor is still connected")
	}
	if err := later.Ask(request, answer); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.GetsockoptInt(good.FD(), unix.SOL_SOCKET, soPassRights); err == nil {
		for name, c := range map[string]*wire.Client{"connected before": later, "connected after": greeted(t, path)} {
			if err := c.Send(request, s.Local); !errors.Is(err, unix.EPERM) {
				t.Errorf("%s: a descriptor that nobody asks for can be sent: %v", name, err)
			}
		}
	} else {
		t.Logf("this kernel has no SO_PASSRIGHTS: %v", err)
	}
	for range 3 {
		if err := good.Ask(wire.SaveEndpoint("e", "9"), wire.List("dummy", "")); err != nil {
			t.Fatal(err)
		}
		if err := good.Send("\x00", s.Local); err != nil {
			t.Fatal(err)
		}
		if err := good.Expect(wire.List("status", "0")); err != nil {
			t.Fatal(err)
		}
	}
}

// fewDescriptors is a kernel with a limit below what a message can bring.
type fewDescriptors struct{ *linux }

func (fewDescriptors) Limit() (most, used int, err error) { return 200, 10, nil }

// Where there is no room for as many descriptors as a message can bring, nobody can
// ever send one that is not due, on a kernel that can see to it.
func TestGuardWithoutRoom(t *testing.T) {
	path, _ := startServer(t, func(c *Config) {
		kernel, err := openLinux()
		if err != nil {
			t.Fatal(err)
		}
		c.Kernel = fewDescriptors{kernel}
	})
	c, s := greeted(t, path), session(t)
	_, err := unix.GetsockoptInt(c.FD(), unix.SOL_SOCKET, soPassRights)
	has := err == nil
	for range 2 {
		if err := c.Ask(wire.SaveEndpoint("e", "9"), wire.List("dummy", "")); err != nil {
			t.Fatal(err)
		}
		if err := c.Send("\x00", s.Local); err != nil {
			t.Fatal(err)
		}
		if err := c.Expect(wire.List("status", "0")); err != nil {
			t.Fatal(err)
		}
		if err := greeted(t, path).Send("x", s.Local); has && !errors.Is(err, unix.EPERM) {
			t.Errorf("a descriptor that is not due can be sent: %v", err)
		}
	}
}

// A listening socket that somebody has shut down ends the server in order.
func TestListeningSocketShutDown(t *testing.T) {
	listen, path := listener(t)
	log := &recorder{}
	s, err := New(testConfig(listen, log))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	done := make(chan error, 1)
	go func() { done <- s.Run() }()
	c := greeted(t, path)
	if err := unix.Shutdown(listen, unix.SHUT_RDWR); err != nil {
		t.Fatal(err)
	}
	select {
	case err = <-done:
	case <-time.After(patience):
		t.Fatal("the server does not end")
	}
	if err != nil || !c.Ended(patience) {
		t.Errorf("the server ends with %v", err)
	}
	if got := strings.Join(log.snapshot(), "\n"); !strings.Contains(got, "the listening socket was shut down") {
		t.Errorf("the log says %q", got)
	}
}
