package diff

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"scache/compat/script"
	"scache/scached/protocol"
)

func found(line, session int) lookup {
	return lookup{line, script.Result{Found: true, EndpProperty: "p", Session: session}}
}

func TestDifferences(t *testing.T) {
	saved := found(3, 12)
	saved.result.Save, saved.result.Line = 1, 2
	many := make([]lookup, 100)
	for _, test := range []struct {
		name      string
		one, two  scriptRun
		different []string
	}{
		{"the same", scriptRun{lookups: []lookup{found(3, 12)}}, scriptRun{lookups: []lookup{found(3, 12)}}, nil},
		{"one knows the save", scriptRun{lookups: []lookup{found(3, 12)}}, scriptRun{lookups: []lookup{saved}}, nil},
		{"another session", scriptRun{lookups: []lookup{found(3, 12)}}, scriptRun{lookups: []lookup{found(3, 13)}},
			[]string{"one: line 3: found: endp_prop=p fd=12; two: line 3: found: endp_prop=p fd=13"}},
		{"not found", scriptRun{lookups: []lookup{found(3, 12)}}, scriptRun{lookups: []lookup{{line: 3}}},
			[]string{"one: line 3: found: endp_prop=p fd=12; two: line 3: not found"}},
		{"too few", scriptRun{lookups: []lookup{found(3, 12), found(4, 12)}}, scriptRun{lookups: []lookup{found(3, 12)}},
			[]string{"one: 2 lookups; two: 1"}},
		{"one fails", scriptRun{errors: script.Errors{{Name: "x.in", Line: 3, Text: "bad"}}}, scriptRun{},
			[]string{"one: x.in:3: bad; two: no error"}},
		{"both fail", scriptRun{errors: script.Errors{{Name: "x.in", Line: 3, Text: "bad"}}},
			scriptRun{errors: script.Errors{{Name: "x.in", Line: 3, Text: "bad"}}}, nil},
		{"many", scriptRun{lookups: many}, scriptRun{lookups: append([]lookup{found(1, 12)}, many...)[:100]}, []string{
			"one: line 0: not found; two: line 1: found: endp_prop=p fd=12"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.one.side.Name, test.two.side.Name = "one", "two"
			if diff := cmp.Diff(test.different, test.one.compare(&test.two)); diff != "" {
				t.Errorf("differences (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFewDifferencesAreTold(t *testing.T) {
	one, two := scriptRun{}, scriptRun{}
	for i := range 100 {
		one.lookups = append(one.lookups, found(i, 12))
		two.lookups = append(two.lookups, found(i, 13))
	}
	if told := one.compare(&two); len(told) != maxDifferences {
		t.Errorf("%d differences are told", len(told))
	}
}

func TestCompareScriptInProcess(t *testing.T) {
	sides := []Side{{Name: "one"}, {Name: "two"}}
	got, err := CompareScript("x.in", "cache_type multi\nfind_endp a\nsave_endp 1 a p 12\nfind_endp a\nsleep\n", sides, 1)
	want := Comparison{Lookups: 2, Runs: 1, Errors: script.Errors{{Name: "x.in", Line: 5, Text: "usage: sleep time"}}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, comparison (-want +got):\n%s", err, diff)
	}
}

// Without a server, a script that uses it fails; that is a difference.
func TestCompareWithoutServer(t *testing.T) {
	c, err := CompareScript("x.in", "cache_type multi\nfind_endp a\n", []Side{{Name: "one"}, {Name: "none", Server: "/nonexistent/socket"}}, 1)
	if len(c.Differences) != 2 || err != nil {
		t.Errorf("differences %q, %v", c.Differences, err)
	}
}

// A random script is the same for the same seed, and worth running.
func TestRandomScript(t *testing.T) {
	r := RandomScript{Seed: 1, Commands: 1000, Seconds: 8, Labels: 50}
	text := r.Script()
	if text != r.Script() {
		t.Error("the same seed makes another script")
	}
	if other := (RandomScript{Seed: 2, Commands: 1000, Seconds: 8, Labels: 50}).Script(); text == other {
		t.Error("another seed makes the same script")
	}
	hits, misses, slept := 0, 0, 0
	err := script.Run(strings.NewReader(text), script.Options{Out: new(bytes.Buffer), Found: func(_ int, r script.Result) {
		if r.Found {
			hits++
		} else {
			misses++
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(text) {
		var seconds int
		if n, found := strings.CutPrefix(strings.TrimSpace(line), "sleep "); found {
			seconds = int(n[0] - '0')
		}
		slept += seconds
	}
	if hits < 100 || misses < 100 || slept < r.Seconds || slept > r.Seconds+1 {
		t.Errorf("%d hits, %d misses, %d seconds", hits, misses, slept)
	}
}

// scriptDir is a directory with some scripts.
func scriptDir(t *testing.T, scripts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range scripts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestCompareScripts(t *testing.T) {
	dir := scriptDir(t, map[string]string{
		"same.in":     "cache_type multi\nfind_endp a\n",
		"single.in":   "cache_type single\n",
		"sleepy.in":   "cache_type multi\nsleep 20\nsleep 20\n",
		"empty.in":    "# nothing\n",
		"passwd.in":   "root:x:0:0\n",
		"typo.in":     "cache_type multi\nfind_endp a\nfnd_endp a\n",
		"errors.in":   "cache_type multi\nfind_endp a\nsleep\n",
		"errors.ref":  ">>> cache_type multi\n>>> find_endp a\n>>> sleep\nunknown: error: usage: sleep time\n",
		"another.in":  "cache_type multi\nfind_endp a\nverbose\n",
		"another.ref": ">>> cache_type multi\n>>> find_endp a\n>>> sleep\nunknown: error: usage: sleep time\n",
	})
	same := []Side{{Name: "one"}, {Name: "two"}}
	different := []Side{{Name: "one"}, {Name: "none", Server: "/nonexistent/socket"}}
	for _, test := range []struct {
		file    string
		sides   []Side
		summary string
		err     string // its last words; empty for none
	}{
		{"same.in", same, "1 lookups, the same", ""},
		{"same.in", different, "1 lookups, DIFFERENT", ErrDifferent.Error()},
		{"single.in", same, "left out: a server is never of the type single", "nothing was compared: every script was left out"},
		{"sleepy.in", same, "left out: it sleeps 40 seconds", "nothing was compared: every script was left out"},
		{"empty.in", same, "left out: it looks nothing up", "nothing was compared: every script was left out"},
		{"passwd.in", same, "NOT COMPARED", "passwd.in:1: bad command: root:x:0:0"},
		{"typo.in", same, "1 lookups, the same, not all of it is right", "typo.in:3: bad command: fnd_endp"},
		{"errors.in", same, "1 lookups, the same", ""},
		{"another.in", same, "1 lookups, the same, not all of it is right", "another.in:3: usage: verbose level"},
		{"none.in", same, "not read", "no such file or directory"},
	} {
		t.Run(test.file, func(t *testing.T) {
			var out bytes.Buffer
			err := CompareScripts(t.Context(), []string{filepath.Join(dir, test.file)}, test.sides, &out)
			if summary, _, _ := strings.Cut(out.String(), "\n"); !strings.Contains(summary, test.summary) {
				t.Errorf("summary %q, want %q", summary, test.summary)
			}
			if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.HasSuffix(err.Error(), test.err)) {
				t.Errorf("error %v, want %q", err, test.err)
			}
		})
	}
}

// A script for which the machine is too busy runs again, a limited number of
// times, and this is told.
func TestCompareScriptsOnABusyMachine(t *testing.T) {
	dir := scriptDir(t, map[string]string{"slow.in": "cache_type multi\nfind_endp a\nfind_endp a\n"})
	file := filepath.Join(dir, "slow.in")
	path := slowServer(t, timesTogether+1)
	sides := []Side{{Name: "one"}, {Name: "slow", Server: path}}
	var out bytes.Buffer
	if err := CompareScripts(t.Context(), []string{file}, sides, &out); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
	if want := fmt.Sprintf("2 lookups, the same, run %d times on a busy machine\n", timesTogether+2); !strings.HasSuffix(out.String(), want) {
		t.Errorf("the output is %q, want %q", out.String(), want)
	}
}

// slowServer is a cache without anything in it, whose answers take longer than a
// second for its first clients. It returns its socket.
func slowServer(t *testing.T, slowClients int) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sc") // a socket's path has to be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	listener, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	var clients sync.WaitGroup
	clients.Go(func() {
		for n := 0; ; n++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			clients.Go(func() { missAll(conn, n < slowClients) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		clients.Wait()
	})
	return filepath.Join(dir, "s")
}

// missAll serves a client that looks things up.
func missAll(conn net.Conn, slowly bool) {
	defer conn.Close()
	conn.Write(protocol.Current.AppendGreeting(nil))
	buf := make([]byte, 4096)
	for {
		if _, err := conn.Read(buf); err != nil {
			return
		}
		if slowly {
			time.Sleep(time.Second)
		}
		io.WriteString(conn, "status\x002\x00property\x00\x00\x00")
	}
}
