package tap

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestPseudonyms(t *testing.T) {
	s := NewPseudonyms([]byte("key"))
	for _, same := range []string{"", "*", "smtp", "25", "status", "0"} {
		if got := s.Name(same); got != same {
			t.Errorf("%q became %q", same, got)
		}
	}
	host, address := s.Name("mx.example.com"), s.Name("192.0.2.1")
	if parsed, err := netip.ParseAddr(address); err != nil || !parsed.Is4() || address == "192.0.2.1" {
		t.Errorf("192.0.2.1 became %q", address)
	}
	if parsed, err := netip.ParseAddr(s.Name("2001:db8::1")); err != nil || !parsed.Is6() {
		t.Errorf("2001:db8::1 became %q", s.Name("2001:db8::1"))
	}
	for _, form := range [][2]string{
		{"[192.0.2.1]:25", "[" + address + "]:25"},
		{"[mx.example.com]:587", "[" + host + "]:587"},
		{"smtp:mx.example.com:25", "smtp:" + host + ":25"},
		{"user@mx.example.com", s.Name("user") + "@" + host},
		{"[IPv6:2001:db8::1]", "[IPv6:" + s.Name("2001:db8::1") + "]"},
	} {
		if got := s.Name(form[0]); got != form[1] {
			t.Errorf("%q became %q, want %q", form[0], got, form[1])
		}
	}
	message := "request\x00find_endp\x00label\x00smtp\nmx.example.com\n192.0.2.1\n25\n0\n\x00property\x00host_addr=192.0.2.1\nreuse_count=1\n\n\x00\x00"
	want := "request\x00find_endp\x00label\x00smtp\n" + host + "\n" + address + "\n25\n0\n\x00property\x00host_addr=" + address + "\nreuse_count=1\n\n\x00\x00"
	if got := string(s.Message([]byte(message))); got != want {
		t.Errorf("message %q, want %q", got, want)
	}
	if other := NewPseudonyms([]byte("another")).Name("mx.example.com"); other == host {
		t.Error("another key makes the same of a name")
	}
	seen := make(map[string]string) // no two addresses become one
	for i := range 100_000 {
		in := fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)
		out := s.Name(in)
		if before, ok := seen[out]; ok {
			t.Fatalf("%s and %s both became %s", before, in, out)
		}
		seen[out] = in
	}
}

// TestRotation fills several files: each can be read for itself, none is too large,
// and the oldest ones go.
func TestRotation(t *testing.T) {
	o := Options{Path: filepath.Join(t.TempDir(), "recording"), SizeLimit: 200_000, Files: 3}
	r := OpenRecorder(o, &logger{})
	begin := time.Now()
	r.note(event{kind: eventConnect, client: 1, at: begin}, nil)
	for i := range 10_000 {
		r.note(event{kind: eventSend, client: 1, at: begin, tokens: []int{i + 1}}, []byte("request\x00"))
		if i%1000 == 0 {
			time.Sleep(2 * writeEvery / 10)
		}
	}
	r.note(event{kind: eventClose, client: 1, at: begin}, nil)
	r.Close()
	for i := range 4 {
		path := numbered(o.Path, i)
		data, err := os.ReadFile(path)
		if i == 3 {
			if err == nil {
				t.Errorf("there is a %s", path)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 || info.Size() > int64(o.SizeLimit) {
			t.Errorf("%s: %v, %d bytes, %v", path, info.Mode(), info.Size(), err)
		}
		for n, line := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
			if !json.Valid([]byte(line)) {
				t.Fatalf("%s, line %d: %q", path, n+1, line)
			}
			if n == 0 && !strings.HasPrefix(line, `{"recording":1,`) || n == 1 && !strings.Contains(line, `"step":"connect","continued":true`) {
				t.Errorf("%s, line %d: %q", path, n+1, line)
			}
		}
	}
}

// TestSlowDisk records more than waits to be written: the loop is not held up, and
// the recording says what it lost.
func TestSlowDisk(t *testing.T) {
	o := Options{Path: filepath.Join(t.TempDir(), "recording"), SizeLimit: 100 << 20, Files: 1, Plain: true}
	r := OpenRecorder(o, &logger{})
	data := make([]byte, 4000)
	const events = 3 * bufferLimit / 4000
	r.mu.Lock() // as long as the loop has it, nothing is written
	for range events {
		e := event{kind: eventSend, client: 1, at: time.Now()}
		if len(r.filled)+len(data)+eventOverhead > bufferLimit {
			r.lost++
			continue
		}
		r.filled = e.append(r.filled, data, r.lost)
		r.lost = 0
	}
	lost := r.lost
	r.mu.Unlock()
	r.Close()
	text, err := os.ReadFile(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf(`{"lost":%d}`, lost); lost < events/2 || !strings.Contains(string(text), want) {
		t.Errorf("%d of %d events were lost; the recording does not say so", lost, events)
	}
}

// TestRecordingOfOthers refuses what is no file of one's own, and goes on without it.
func TestRecordingOfOthers(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "target")
	if err := os.WriteFile(target, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "recording")
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
	log := &logger{}
	r := OpenRecorder(Options{Path: path, SizeLimit: 10_000, Files: 1, Plain: true}, log)
	r.note(event{kind: eventConnect, client: 1, at: time.Now()}, nil)
	r.Close()
	if text, err := os.ReadFile(target); err != nil || string(text) != "precious" {
		t.Errorf("the target of a link holds %q, %v", text, err)
	}
	if len(log.snapshot()) == 0 {
		t.Error("nothing was said of it")
	}
}
