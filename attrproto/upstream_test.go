package attrproto

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// upstream reads a file of the reference's own tests. They may not be part of
// this project, so the tests run only where they lie beside it.
func upstream(t *testing.T, name string) []byte {
	t.Helper()
	if _, err := os.Stat("../../shared/upstream"); err != nil {
		t.Skip("SKIPPED: ../shared/upstream, the reference's own test files, is not here:", err)
	}
	text, err := os.ReadFile("../../shared/upstream/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// upstreamSuffix is how the files of an encoding are named.
var upstreamSuffix = map[Encoding]string{Null: "0", Base64: "64", Plain: "_plain"}

// upstreamInput is what the reference's print program for an encoding wrote,
// with the attributes of the group in alphabetical order: the reference has
// them in the order of its hash table.
func upstreamInput(t *testing.T, e Encoding) []byte {
	t.Helper()
	input := upstream(t, "attr_print"+upstreamSuffix[e]+".bin")
	foo, _ := e.AppendString(nil, "foo-name", "foo-value")
	bar, _ := e.AppendString(nil, "bar-name", "bar-value")
	return bytes.Replace(input, slices.Concat(foo, bar), slices.Concat(bar, foo), 1)
}

// TestUpstreamWrite writes the lists that the reference's test programs write.
func TestUpstreamWrite(t *testing.T) {
	for e := range upstreamSuffix {
		t.Run(e.String(), func(t *testing.T) {
			want := upstreamInput(t, e)
			var got bytes.Buffer
			writeUpstream(t, &got, e, nil)
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("written (-reference +ours):\n%s", diff)
			}
		})
	}
}

func writeUpstream(t *testing.T, dst *bytes.Buffer, e Encoding, trace func(string)) {
	t.Helper()
	w := NewWriter(dst)
	w.Encoding, w.Trace = e, trace
	for _, list := range []func(){
		func() {
			writeUpstreamStart(w, true)
			w.Hash(map[string]string{"foo-name": "foo-value", "bar-name": "bar-value"})
			w.Long("long_number", 4321)
		},
		func() { writeUpstreamStart(w, false) },
		func() { w.String("protocol", "not-test") },
	} {
		list()
		if err := w.Send(); err != nil {
			t.Fatal(err)
		}
	}
}

func writeUpstreamStart(w *Writer, b bool) {
	w.String("protocol", "test")
	w.Int("number", 4711)
	w.Long("long_number", 1234)
	w.Bool("bool", b)
	w.String("string", "whoopee")
	w.Data("data", []byte("whoopee"))
}

// TestUpstreamLog does what the reference's test programs do, and compares all
// that they print.
func TestUpstreamLog(t *testing.T) {
	for e, suffix := range upstreamSuffix {
		t.Run(e.String(), func(t *testing.T) {
			want := string(upstream(t, "attr_scan"+suffix+".ref"))
			input := upstreamInput(t, e)
			var out strings.Builder
			writeUpstream(t, new(bytes.Buffer), e, func(line string) {
				fmt.Fprintf(&out, "./attr_print%s: %s\n", suffix, line)
			})
			printed := readUpstream(input, e, func(line string) {
				fmt.Fprintf(&out, "./attr_scan%s: %s\n", suffix, line)
			})
			if diff := cmp.Diff(want, out.String()+printed); diff != "" {
				t.Errorf("printed (-reference +ours):\n%s", diff)
			}
		})
	}
}

// readUpstream reads the three lists as the reference's test programs do, and
// returns what they write to standard output.
func readUpstream(input []byte, e Encoding, log func(line string)) string {
	r := NewReader(bytes.NewReader(input))
	r.Encoding = e
	r.Stream, r.Trace = "unknown_stream", log
	var out strings.Builder
	var number int
	var long, long2 int64
	var flag bool
	var text string
	var data []byte
	table := map[string]string{}
	start := []Want{Equal("protocol", "test"), IntVar("number", &number), LongVar("long_number", &long),
		BoolVar("bool", &flag), StringVar("string", &text), DataVar("data", &data)}
	scan := func(more int, wants ...Want) {
		count, err := r.Scan(FlagStrict, wants...)
		if err, ok := err.(*Error); ok {
			for _, line := range err.Warnings("unknown_stream") {
				log("warning: " + line)
			}
		}
		if count < more {
			fmt.Fprintf(&out, "return: %d\n", count)
			return
		}
		fmt.Fprintf(&out, "number %d\nlong_number %d\nbool %s\nstring %s\ndata %s\n", number, long, showBool(e, flag), text, data)
		for _, name := range slices.Sorted(maps.Keys(table)) {
			fmt.Fprintf(&out, "(hash) %s %s\n", name, table[name])
		}
		if more > 5 {
			fmt.Fprintf(&out, "long_number %d\n", long2)
		}
	}
	scan(6, append(slices.Clone(start), HashVar(table), LongVar("long_number", &long2))...)
	scan(5, start...)
	scan(1, Equal("protocol", "test"))
	return out.String()
}

func showBool(e Encoding, value bool) string {
	switch {
	case e == Plain:
		return fmt.Sprint(value)
	case value:
		return "1"
	}
	return "0"
}
