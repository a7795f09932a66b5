package script

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// An error says where it is.
func TestErrors(t *testing.T) {
	for _, test := range []struct{ name, script, want string }{
		{"a bad command", "# comment\ncache_type multi\n\nfind a\n", "x.in:4: bad command: find"},
		{"wrong words", "cache_type multi\nsleep\nfind_endp a b\n", "x.in:2: usage: sleep time\nx.in:3: usage: find_endp endpoint"},
		{"no cache", "find_endp a\n", "x.in:1: no session cache"},
		{"in a block", "cache_type multi\nrepeat 2\n\nsize 1 1 $n\nend\nsize 1\n",
			"x.in:4: size: expected destinations=1 endpoints=1 sessions=1, have destinations=0 endpoints=0 sessions=0\n" +
				"x.in:4: size: expected destinations=1 endpoints=1 sessions=2, have destinations=0 endpoints=0 sessions=0\n" +
				"x.in:6: usage: size [destinations endpoints sessions]"},
		{"a block without end", "cache_type multi\nrepeat 2\nsize\nsize\n", "x.in:2: repeat: no end"},
		{"many", "cache_type multi\n" + strings.Repeat("sleep\n", maxTold+2), strings.Repeat("L\n", maxTold) + "and 2 more errors"},
		{"none of it is a command", "root:x:0:0\ndaemon:x:1:1\n", "not a script: x.in:1: bad command: root:x:0:0"},
		{"bytes", "\x7fELF\x02\x01\n", "not a script: x.in:1: bad command: ?ELF??"},
		{"a long word", strings.Repeat("a", 1e6), "not a script: x.in:1: bad command: " + strings.Repeat("a", maxText-len("bad command: ")) + "..."},
		{"only comments", "# nothing\n\n", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := Run(strings.NewReader(test.script), Options{Out: new(bytes.Buffer), Name: "x.in", Extended: true})
			got := ""
			if err != nil {
				got = err.Error()
			}
			if strings.HasPrefix(test.want, "L\n") { // the lines do not matter
				var short []string
				for _, line := range strings.Split(got, "\n") {
					if strings.HasPrefix(line, "x.in:") {
						line = "L"
					}
					short = append(short, line)
				}
				got = strings.Join(short, "\n")
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if errors.Is(err, ErrFailed) != (err != nil) || errors.Is(err, ErrNoScript) != strings.HasPrefix(test.want, ErrNoScript.Error()) {
				t.Errorf("another kind of error: %v", err)
			}
		})
	}
}

// The reference ends with the 13th error, and says so.
func TestTooManyErrors(t *testing.T) {
	err := Run(strings.NewReader("cache_type multi\n"+strings.Repeat("sleep\n", 20)), Options{Out: new(bytes.Buffer)})
	var all Errors
	if !errors.As(err, &all) || len(all) != maxErrors+1 {
		t.Fatalf("ended with %v", err)
	}
	if last := all[maxErrors].Error(); last != "script:14: too many errors - program terminated" {
		t.Errorf("the last error is %q", last)
	}
}

// README.md has the commands as the program tells them.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(Help()) {
		if !bytes.Contains(text, []byte(line)) {
			t.Errorf("README.md does not have the line %q", line)
		}
	}
}
