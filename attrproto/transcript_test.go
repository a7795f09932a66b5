package attrproto

import (
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A transcript is an exchange with a real scache(8), see testdata/transcripts
// at the root of the project. Strings are bytes as Latin-1.
type transcript struct {
	Name  string
	Steps []struct{ Step, Data, Recv string }
	Log   []string
}

func transcripts(t *testing.T, name string) (list []transcript) {
	t.Helper()
	text, err := os.ReadFile("../testdata/transcripts/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// TestTranscriptNumbers reads every ttl that a real scache(8) was asked to use.
func TestTranscriptNumbers(t *testing.T) {
	wants := []Want{{Type: TypeInt, Name: "ttl"}, {Name: "label"}, {Name: "property"}, {Name: "label"}}
	found := 0
	for _, c := range transcripts(t, "wire-3.12.json") {
		if !strings.HasPrefix(c.Name, "ttl_") || !strings.Contains(c.Steps[1].Data, "save_dest") {
			continue
		}
		found++
		t.Run(c.Name, func(t *testing.T) {
			var s Scan
			input := latin1(c.Steps[1].Data)
			s.Start(FlagStrict|FlagMore, []Want{{Name: "request"}})
			s.Run(input, io.EOF)
			input = input[s.Consumed():]
			s.Start(FlagStrict, wants)
			s.Run(input, io.EOF)
			count, err := s.Result()
			ttl := int32(0)
			if count == 4 {
				ttl = int32(s.Uint(0))
			}
			status := "0"
			if count != 4 || ttl <= 0 {
				status = "1"
			}
			if want := "status\x00" + status + "\x00\x00"; c.Steps[1].Recv != want {
				t.Errorf("count %d, ttl %d: the reference answered %q", count, ttl, c.Steps[1].Recv)
			}
			var want, got string
			if len(c.Log) > 0 && strings.HasPrefix(c.Log[0], "warning: malformed") {
				want = c.Log[0]
			}
			if err != nil {
				got = "warning: " + ascii(strings.Join(err.Warnings("scache socket"), "\n"))
			}
			if want != got {
				t.Errorf("warning %q, want %q", got, want)
			}
		})
	}
	if found < 22 {
		t.Errorf("%d cases, want 22 or more", found)
	}
}

// ascii shows a line as the reference does in the C locale, where the
// transcripts were made.
func ascii(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c < ' ' || c > '~' {
			b[i] = '?'
		}
	}
	return string(b)
}

// TestTranscriptTrace reads the requests of the verbose transcripts, and
// compares what the scan tells with what the reference logged.
func TestTranscriptTrace(t *testing.T) {
	parameters := map[string][]Want{
		"save_endp": {{Type: TypeInt, Name: "ttl"}, {Name: "label"}, {Name: "property"}},
		"save_dest": {{Type: TypeInt, Name: "ttl"}, {Name: "label"}, {Name: "property"}, {Name: "label"}},
		"find_endp": {{Name: "label"}},
		"find_dest": {{Name: "label"}},
	}
	for _, c := range transcripts(t, "wire-3.12-verbose.json") {
		t.Run(c.Name, func(t *testing.T) {
			var want, got []string
			for _, line := range c.Log {
				if strings.HasPrefix(line, "scache socket: ") || strings.HasPrefix(line, "input attribute ") {
					want = append(want, line)
				}
			}
			s := Scan{Stream: "scache socket", Trace: func(line string) { got = append(got, ascii(line)) }}
			scan := func(input []byte, flags Flags, wants []Want) (rest []byte) {
				s.Start(flags, wants)
				s.Run(input, io.EOF)
				return input[s.Consumed():]
			}
			for _, step := range c.Steps {
				input := latin1(step.Data)
				switch {
				case strings.HasPrefix(step.Data, "request"):
					rest := scan(input, FlagStrict|FlagMore, []Want{{Name: "request"}})
					if wants, ok := parameters[string(s.Bytes(input, 0))]; ok {
						scan(rest, FlagStrict, wants)
					}
				case strings.HasPrefix(step.Data, "dummy"):
					scan(input, FlagStrict, []Want{{Name: "dummy"}})
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("log (-reference +ours):\n%s", diff)
			}
		})
	}
}
