package diff

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestFileRoundTrip(t *testing.T) {
	want := []*Transcript{{
		Name: "all of it", About: "<why> & how",
		Setup: Setup{Verbose: true, UTF8: true, TTLLimit: 2, NoFile: 100, Dialect: "2.2", LiveCheck: true, Quit: true},
		Steps: []Step{
			{Do: Connect, Client: "a"},
			{Do: Send, Client: "a", Data: append([]byte("a\x00\xff\xc3\xa9"), bytes.Repeat([]byte{'x'}, 5000)...), Descriptors: 2, Piece: 3},
			{Do: RemoteSay, Token: 1, Data: []byte("421 bye\r\n")},
			{Do: Wait, Seconds: 2},
		},
		Recorded: &Result{
			Outcomes: []Outcome{
				{Answer: Answer{Data: []byte("\x00\x80"), Tokens: []int{2, 1}, End: EndOfFile, Changed: []string{"flags"}}},
				{Others: map[string]Answer{"b": {Data: bytes.Repeat([]byte{0}, 100)}}},
				{Skipped: true},
				{Failed: "broken pipe"},
			},
			Log:  []string{"\xff\xfe not UTF-8", "\xc3\xa9 UTF-8"},
			Left: 3, Alive: true, Status: []int32{0, 1},
		},
		Better: "stall",
		Ours:   &Result{Outcomes: []Outcome{{}, {}, {}, {}}, Exit: "exit status 1"},
	}, {
		Name:  "not recorded",
		Steps: []Step{{Do: Hold}, {Do: Go}},
	}}
	path := filepath.Join(t.TempDir(), "x.json")
	if err := WriteFile(path, want); err != nil {
		t.Fatal(err)
	}
	got, err := ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Transcript{})); d != "" {
		t.Errorf("-written +read:\n%s", d)
	}
	if info, err := os.Stat(path); err != nil || info.Size() > 6000 {
		t.Errorf("%d bytes, %v: long runs are to be written as such", info.Size(), err)
	}
}

func TestParseFirstFormat(t *testing.T) {
	const data = `[{"name": "n", "steps": [
		{"step": "connect", "recv": "hello"},
		{"step": "send_fds", "data": "\u0000\u00ff", "fds": 2, "recv": "\u0000", "recv_fds": 1, "closed": "eof"}],
		"log": ["process generation: 17 (17)", "connection established fd 128"], "alive": true, "fds_left": 2}]`
	want := []*Transcript{{
		Name:  "n",
		Setup: Setup{Verbose: true},
		Steps: []Step{{Do: Connect}, {Do: Send, Data: []byte("\x00\xff"), Descriptors: 2}},
		Recorded: &Result{
			Outcomes: []Outcome{
				{Answer: Answer{Data: []byte("hello")}},
				{Answer: Answer{Data: []byte{0}, Tokens: []int{0}, End: EndOfFile}},
			},
			Log:  []string{"connection established fd client1"},
			Left: 2, Alive: true,
		},
	}}
	got, err := Parse("x-verbose.json", []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Transcript{})); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestParseFails(t *testing.T) {
	for name, data := range map[string]string{
		"not JSON":          `[`,
		"not a list":        `{}`,
		"not a byte":        `[{"steps": [{"step": "send", "data": "€"}]}]`,
		"data of no kind":   `[{"steps": [{"step": "send", "data": 1}]}]`,
		"run of no kind":    `[{"steps": [{"step": "send", "data": [1]}]}]`,
		"tokens of no kind": `[{"steps": [{"step": "send", "recv_fds": "one"}]}]`,
	} {
		t.Run(name, func(t *testing.T) {
			if list, err := Parse("x.json", []byte(data)); err == nil {
				t.Errorf("no error, but %+v", list[0])
			}
		})
	}
}
