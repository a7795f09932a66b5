package mail

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"scache/compat/master"
	"scache/compat/postfix"
	"scache/compat/testbed"
	"scache/scached/control"
	"scache/scached/top"
)

// A terminal is one that a program can be shown on, with what it has written so
// far.
type terminal struct {
	control, program *os.File
	mu               sync.Mutex
	text             bytes.Buffer
}

// openTerminal opens one of 100 columns and 30 lines.
func openTerminal(t *testing.T) *terminal {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{control: os.NewFile(uintptr(fd), "ptmx")}
	t.Cleanup(func() { term.control.Close() })
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 30, Col: 100}); err != nil {
		t.Fatal(err)
	}
	if term.program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { term.program.Close() })
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, err := term.control.Read(buffer)
			term.mu.Lock()
			term.text.Write(buffer[:n])
			term.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return term
}

// shows waits for a text.
func (term *terminal) shows(t *testing.T, text string) {
	t.Helper()
	if !master.WaitUntil(patience, func() bool {
		term.mu.Lock()
		defer term.mu.Unlock()
		return strings.Contains(term.text.String(), text)
	}) {
		term.mu.Lock()
		defer term.mu.Unlock()
		t.Fatalf("the terminal does not show %q, but:\n%q", text, term.text.String())
	}
}

func (term *terminal) press(t *testing.T, keys string) {
	t.Helper()
	if _, err := term.control.WriteString(keys); err != nil {
		t.Fatal(err)
	}
}

// Top shows a real daemon on a terminal, and goes on when the daemon is another one.
func TestTop(t *testing.T) {
	t.Parallel()
	testbed.Reference(t)
	p, err := postfix.Start(t.Context(), postfix.Options{Cache: testbed.Scached(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	cache := &control.Client{Path: p.CacheSocket()}
	term := openTerminal(t)
	ended := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	go func() {
		ended <- top.Run(ctx, top.Options{Client: cache, Interval: 100 * time.Millisecond, In: term.program, Out: term.program})
	}()
	term.shows(t, "0 sessions of 0 endpoints")
	term.shows(t, "expiries")
	term.press(t, "s")
	term.shows(t, "uses")
	term.press(t, "/")
	term.shows(t, "filter: ")
	term.press(t, "b.example\r")
	term.shows(t, "(b.example")
	status, err := cache.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Kill(status.PID, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	term.shows(t, fmt.Sprintf("after process %d", status.PID))
	term.press(t, "p")
	term.shows(t, "paused")
	term.press(t, "q")
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Error("q does not end it")
	}
}
