package attrproto

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A referenceCase is what attr_scan of Postfix 3.7.11 did with an input: each
// case was made up for this project and run through the real library. Strings
// are bytes as Latin-1.
type referenceCase struct {
	Encoding string
	Flags    Flags
	Wants    []string // "TYPE NAME", "streq NAME=VALUE", "hash", "func" (an int num, a string str)
	Input    string
	Result   int
	Left     int               // bytes of the input that were not consumed
	Values   []json.RawMessage // of the wishes that were granted
	Log      []string          // verbose when it has lines that are no warnings
}

const referenceStream = "unknown_stream"

// TestReference compares every way of reading with the reference.
func TestReference(t *testing.T) {
	for i, c := range referenceCases(t) {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			input := latin1(c.Input)
			log := &referenceLog{verbose: c.verbose()}
			run := c.newRun(t)
			s := Scan{Encoding: run.encoding, Stream: referenceStream, Trace: log.trace()}
			s.Start(c.Flags, run.wants)
			if !s.Run(input, nil) && !s.Run(input, io.EOF) {
				t.Fatal("the scan is not done at the end of the input")
			}
			result, err := s.Result()
			log.add(err)
			c.check(t, run, "Scan", result, len(input)-s.Consumed(), s.Granted(), log.lines)

			for name, wrap := range readerWrappers {
				log := &referenceLog{verbose: c.verbose()}
				run := c.newRun(t)
				r := NewReader(wrap(strings.NewReader(string(input))))
				r.Encoding, r.Stream, r.Trace = run.encoding, referenceStream, log.trace()
				result, err := r.Scan(c.Flags, run.wants...)
				if err == io.EOF {
					result = 0
				} else if err != nil {
					log.add(err.(*Error))
				}
				c.check(t, run, name, result, len(input)-int(r.offset), r.Granted(), log.lines)
			}
		})
	}
}

func (c *referenceCase) verbose() bool {
	for _, line := range c.Log {
		if !strings.HasPrefix(line, "warning: ") {
			return true
		}
	}
	return false
}

// A referenceRun is a wish list and the variables that it fills.
type referenceRun struct {
	encoding Encoding
	wants    []Want
	value    []func() any // of each wish that has one
}

func (c *referenceCase) newRun(t *testing.T) *referenceRun {
	t.Helper()
	run := &referenceRun{}
	var ok bool
	if run.encoding, ok = ParseEncoding(c.Encoding); !ok {
		t.Fatalf("no encoding %q", c.Encoding)
	}
	table := map[string]string{} // all wishes for one share it
	for _, want := range c.Wants {
		kind, name, _ := strings.Cut(want, " ")
		run.add(t, kind, name, table)
	}
	return run
}

func (run *referenceRun) add(t *testing.T, kind, name string, table map[string]string) {
	t.Helper()
	value := func() any { return nil }
	var want Want
	switch kind {
	case "int":
		p := new(uint32)
		want, value = IntVar(name, p), func() any { return fmt.Sprint(*p) }
	case "long":
		p := new(uint64)
		want, value = LongVar(name, p), func() any { return fmt.Sprint(*p) }
	case "string":
		p := new(string)
		want, value = StringVar(name, p), func() any { return toLatin1(*p) }
	case "data":
		p := new([]byte)
		want, value = DataVar(name, p), func() any { return toLatin1(string(*p)) }
	case "streq":
		name, expect, _ := strings.Cut(name, "=")
		want = Equal(name, expect)
	case "hash":
		want, value = HashVar(table), func() any {
			shown := map[string]any{}
			for name, value := range table {
				shown[toLatin1(name)] = toLatin1(value)
			}
			return shown
		}
	case "func":
		want = ListVar(Want{Type: TypeInt, Name: "num"}, Want{Name: "str"})
	default:
		t.Fatalf("no type %q", kind)
	}
	run.wants = append(run.wants, want)
	run.value = append(run.value, value)
}

// check compares one way of reading with the case.
func (c *referenceCase) check(t *testing.T, run *referenceRun, name string, result, left, granted int, log []string) {
	t.Helper()
	if result != c.Result || left != c.Left {
		t.Errorf("%s: result %d with %d bytes left, want %d with %d", name, result, left, c.Result, c.Left)
	}
	if diff := cmp.Diff(c.Log, log); diff != "" {
		t.Errorf("%s: log (-want +got):\n%s", name, diff)
	}
	want := c.Values
	for i, wish := range run.wants {
		if wish.Type == TypeStreq || wish.Type == TypeFunc || i > granted || i == granted && wish.Type != TypeHash {
			continue
		}
		if len(want) == 0 {
			t.Errorf("%s: granted %d wishes, too many", name, granted)
			return
		}
		var value any
		if err := json.Unmarshal(want[0], &value); err != nil {
			t.Fatal(err)
		}
		want = want[1:]
		if diff := cmp.Diff(value, run.value[i]()); diff != "" {
			t.Errorf("%s: value of %s (-want +got):\n%s", name, c.Wants[i], diff)
		}
	}
	if len(want) > 0 {
		t.Errorf("%s: granted %d wishes, too few", name, granted)
	}
}

// A referenceLog collects what the reference would have logged.
type referenceLog struct {
	verbose bool
	lines   []string
}

func (l *referenceLog) trace() func(string) {
	l.lines = []string{}
	if !l.verbose {
		return nil
	}
	return func(line string) { l.lines = append(l.lines, shown(line)) }
}

func (l *referenceLog) add(err *Error) {
	if err == nil {
		return
	}
	for i, line := range err.Warnings(referenceStream) {
		if i > 0 && l.verbose {
			l.lines = append(l.lines, shown(referenceStream+": wanted attribute: "+err.Wanted))
		}
		l.lines = append(l.lines, shown("warning: "+line))
	}
}

// shown is a line as the reference's log has it, in Latin-1.
func shown(line string) string { return toLatin1(string(Printable([]byte(line)))) }

func referenceCases(t testing.TB) []referenceCase {
	t.Helper()
	f, err := os.Open("testdata/reference-3.7.11.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var cases []referenceCase
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var c referenceCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatal("no reference cases")
	}
	return cases
}

// latin1 is the bytes that a string in a transcript stands for.
func latin1(s string) []byte {
	var b []byte
	for _, r := range s {
		b = append(b, byte(r))
	}
	return b
}

func toLatin1(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}
