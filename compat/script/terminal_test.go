package script

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// openTerminal returns the two sides of a pseudo terminal.
func openTerminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { person.Close() })
	raw, err := person.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var number uint32
	var ioctlErr error
	raw.Control(func(fd uintptr) {
		if ioctlErr = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); ioctlErr == nil {
			number, ioctlErr = unix.IoctlGetUint32(int(fd), unix.TIOCGPTN)
		}
	})
	if ioctlErr != nil {
		t.Fatal(ioctlErr)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	return person, program
}

// readUntil reads what the person sees, up to the text.
func readUntil(t *testing.T, person *os.File, text string) string {
	t.Helper()
	var seen []byte
	buf := make([]byte, 4096)
	person.SetReadDeadline(time.Now().Add(10 * time.Second))
	for !strings.Contains(string(seen), text) {
		n, err := person.Read(buf)
		if err != nil {
			t.Fatalf("waiting for %q: %v; so far %q", text, err, seen)
		}
		seen = append(seen, buf[:n]...)
	}
	return string(seen)
}

func TestTerminal(t *testing.T) {
	person, program := openTerminal(t)
	if !IsTerminal(program) {
		t.Fatal("not a terminal")
	}
	done := make(chan error)
	go func() { done <- RunTerminal(program, Options{Out: program, Extended: true}) }()
	// Each answer ends with the prompt: from then on keys reach the line editor.
	for _, step := range []struct{ keys, shows string }{
		{"", "> "},
		{"find_endp a\r", "unknown: error: no session cache\r\n> "},
		{"cache_type mult\x7fti\r", "\r\n> "}, // a mistake, rubbed out
		{"save_endp 1 b b 12\r", "fd=12\r\n> "},
		{"sleep 1\r", "scache_multi_drop_endp: endp_prop=b fd=12\r\n> "},
		{"\x1b[A\x1b[A\r", "fd=12\r\n> "}, // two lines up in the history
		{"?\r", "the end of what is repeated\r\n> "},
	} {
		if _, err := person.WriteString(step.keys); err != nil {
			t.Fatal(err)
		}
		if seen := readUntil(t, person, step.shows); strings.Contains(seen, ">>>") {
			t.Errorf("the line is echoed: %q", seen)
		}
	}
	person.WriteString("\x04")
	select {
	case err := <-done:
		// There was an error, which the person has seen.
		if err != nil {
			t.Errorf("the script ended with %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the script does not end at the end of input")
	}
}

func TestFileIsNoTerminal(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if IsTerminal(file) {
		t.Error("a file is taken for a terminal")
	}
}
