package attrproto

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// queueListing is what a showq service sends: two messages, one of them with
// two recipients.
func queueListing(t testing.TB, e Encoding) string {
	t.Helper()
	var b strings.Builder
	w := NewWriter(&b)
	w.Encoding = e
	w.String("protocol", "mail_queue_list_protocol")
	w.End()
	for _, id := range []string{"3Xyz", "4ABCdefGHIz"} {
		w.String("queue_name", "deferred")
		w.String("queue_id", id)
		w.Long("time", 1700000000)
		for _, to := range []string{"a@example.com", "b@example.com"} {
			w.String("recipient", to)
			w.String("reason", "")
		}
		w.End()
	}
	w.End() // a list of nothing ends the listing
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestReaderMore reads a list of lists, in every encoding and from every kind
// of stream.
func TestReaderMore(t *testing.T) {
	want := []string{
		"3Xyz a@example.com", "3Xyz b@example.com",
		"4ABCdefGHIz a@example.com", "4ABCdefGHIz b@example.com"}
	for _, e := range []Encoding{Null, Base64, Plain} {
		input := queueListing(t, e)
		for name, wrap := range readerWrappers {
			src := strings.NewReader(input + "what follows")
			r := NewReader(wrap(src))
			r.Encoding = e
			if err := r.Greeting("mail_queue_list_protocol"); err != nil {
				t.Fatalf("%v %s: %v", e, name, err)
			}
			var got []string
			for r.More() {
				var queue, id, recipient, reason string
				var arrival int64
				r.Scan(FlagStrict|FlagMore, StringVar("queue_name", &queue), StringVar("queue_id", &id), LongVar("time", &arrival))
				for r.More() {
					r.Scan(FlagStrict|FlagMore, StringVar("recipient", &recipient), StringVar("reason", &reason))
					got = append(got, id+" "+recipient)
				}
			}
			if err := r.Err(); err != nil {
				t.Errorf("%v %s: %v", e, name, err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%v %s: (-want +got):\n%s", e, name, diff)
			}
			if int(r.offset) != len(input) {
				t.Errorf("%v %s: consumed %d bytes of %d", e, name, r.offset, len(input))
			}
			rest, _ := io.ReadAll(src)
			if left := string(r.Buffered()) + string(rest); left != "what follows" {
				t.Errorf("%v %s: %q is left", e, name, left)
			}
		}
	}
}

// TestReaderMoreTrace has what the reference logs about the end of a list when
// it is verbose.
func TestReaderMoreTrace(t *testing.T) {
	var got []string
	r := NewReader(strings.NewReader("a\x00b\x00\x00"))
	r.Stream, r.Trace = "peer", func(line string) { got = append(got, line) }
	r.More()
	r.Scan(FlagMore, Want{Name: "a"})
	r.More()
	r.More()
	want := []string{
		"peer: non-terminator 'a' (lookahead)",
		"peer: wanted attribute: a", "input attribute name: a", "input attribute value: b",
		"peer: terminator (consumed)",
		"peer: EOF",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := r.Err(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v", err)
	}
}

func TestReaderEnds(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		input string
		end   error // what the stream says then
		kind  Kind  // 0 for io.EOF
		is    error
		nil   bool // Err is nil
	}{
		"nothing":                  {"", io.EOF, 0, io.EOF, true},
		"between strings":          {"a\x00", io.EOF, KindPremature, io.ErrUnexpectedEOF, false},
		"in a string":              {"a", io.EOF, KindUnexpected, io.ErrUnexpectedEOF, false},
		"broken":                   {"", broken, KindPremature, broken, false},
		"broken in a list":         {"a\x00", broken, KindPremature, broken, false},
		"timeout":                  {"", os.ErrDeadlineExceeded, KindTimeout, os.ErrDeadlineExceeded, false},
		"timeout in a list":        {"a\x00", os.ErrDeadlineExceeded, KindTimeout, os.ErrDeadlineExceeded, false},
		"reads that bring nothing": {"", nil, KindPremature, io.ErrNoProgress, false},
	} {
		t.Run(name, func(t *testing.T) {
			var end io.Reader = iotest.ErrReader(c.end)
			r := NewReader(io.MultiReader(strings.NewReader(c.input), end))
			count, err := r.Scan(FlagStrict, Want{Name: "a"})
			if !errors.Is(err, c.is) {
				t.Errorf("error %v is not %v", err, c.is)
			}
			var e *Error
			if c.kind == 0 {
				if count != 0 || err != io.EOF {
					t.Errorf("count %d, error %v", count, err)
				}
			} else if !errors.As(err, &e) || e.Kind != c.kind || e.Class() != ClassIO {
				t.Errorf("error %#v, want kind %d", err, c.kind)
			}
			if (r.Err() == nil) != c.nil {
				t.Errorf("Err is %v", r.Err())
			}
			if _, again := r.Scan(FlagStrict, Want{Name: "a"}); again != err {
				t.Errorf("the error did not stay: %v", again)
			}
			if r.More() || r.Resume() {
				t.Error("goes on after the end")
			}
		})
	}
}

// TestReaderResume goes on after an error in the input, as scache(8) does.
func TestReaderResume(t *testing.T) {
	r := NewReader(strings.NewReader("label\x00x\x00request\x00find\x00\x00"))
	request := Want{Name: "request"}
	var offsets []int
	for {
		_, err := r.Scan(FlagStrict, request)
		if err == nil {
			break
		}
		var e *Error
		if !errors.As(err, &e) || e.Kind != KindExtra {
			t.Fatal(err)
		}
		if r.More() {
			t.Error("More goes on after an error")
		}
		offsets = append(offsets, e.Offset)
		if !r.Resume() {
			t.Fatal("the error stays")
		}
	}
	if diff := cmp.Diff([]int{0, 6}, offsets); diff != "" {
		t.Errorf("offsets of the errors: %s", diff)
	}
	if got := string(r.Bytes(0)); got != "find" {
		t.Errorf("request %q", got)
	}
}

// TestReaderErrorOffset counts from the start of the stream, also when most of
// the list was thrown away.
func TestReaderErrorOffset(t *testing.T) {
	noise := strings.Repeat("noise\x00"+strings.Repeat("x", 1000)+"\x00", 100)
	r := NewReader(strings.NewReader("a\x001\x00\x00" + noise + "a\x00x\x00\x00"))
	var n int
	if _, err := r.Scan(FlagStrict, IntVar("a", &n)); err != nil {
		t.Fatal(err)
	}
	_, err := r.Scan(0, IntVar("a", &n))
	var e *Error
	if !errors.As(err, &e) || e.Kind != KindBadNumber || e.Offset != 5+len(noise)+2 {
		t.Errorf("error %v, want a bad number at offset %d", err, 5+len(noise)+2)
	}
	if want := int64(5 + len(noise) + 4); r.offset != want {
		t.Errorf("consumed %d bytes, want %d", r.offset, want)
	}
}

// endless repeats a text for ever.
type endless struct {
	text string
	pos  int
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e.text[e.pos%len(e.text)]
		e.pos++
	}
	return len(p), nil
}

// TestReaderMemory feeds a Reader what never ends.
func TestReaderMemory(t *testing.T) {
	const much = 8 << 20
	for name, c := range map[string]struct {
		encoding Encoding
		text     string
		wants    []Want
	}{
		"a name without end":                 {Null, "x", []Want{{Name: "a"}}},
		"a line without end":                 {Plain, "x", []Want{{Name: "a"}}},
		"attributes nobody wants":            {Null, "x\x00yyyyyyyyyyyyyyyyy\x00", []Want{{Name: "a"}}},
		"attributes nobody wants, base64":    {Base64, "YQ==:YWFhYWFhYWFhYWFh\n", []Want{{Name: "b"}}},
		"attributes nobody wants, plain":     {Plain, "a=bbbbbbbbbbbbbbbb\n", []Want{{Name: "b"}}},
		"one name for a table":               {Null, "x\x00yyyyyyyyyyyyyyyyy\x00", []Want{HashVar(map[string]string{})}},
		"one name for a table, base64":       {Base64, "YQ==:YWFhYWFhYWFhYWFh\n", []Want{HashVar(map[string]string{})}},
		"one name for a table, and sanitize": {Base64, "YQ==:YWFhYWFhYWFhYWFh\n", []Want{HashVar(map[string]string{})}},
		"noise in a part":                    {Null, "x\x00yyyyyyyyyyyyyyyyy\x00", []Want{ListVar(Want{Name: "a"})}},
	} {
		t.Run(name, func(t *testing.T) {
			r := NewReader(io.LimitReader(&endless{text: c.text}, much))
			r.Encoding = c.encoding
			flags := Flags(0)
			if strings.Contains(name, "sanitize") {
				flags = FlagSanitize
			}
			if _, err := r.Scan(flags, c.wants...); err == nil {
				t.Error("no error")
			}
			memory := cap(r.buf) + cap(r.scan.text)
			if r.scan.sub != nil {
				memory += cap(r.scan.sub.text)
			}
			if memory > 4*DefaultLimit {
				t.Errorf("holds %d bytes", memory)
			}
		})
	}
}

func TestReaderLimit(t *testing.T) {
	value := strings.Repeat("v", DefaultLimit)
	input := func(v string) io.Reader { return strings.NewReader("a\x00" + v + "\x00\x00") }
	var got string
	if _, err := NewReader(input(value)).Scan(FlagStrict, StringVar("a", &got)); err != nil || got != value {
		t.Errorf("a string of the limit: %v", err)
	}
	var e *Error
	if _, err := NewReader(input(value+"v")).Scan(FlagStrict, StringVar("a", &got)); !errors.As(err, &e) || e.Kind != KindTooLong {
		t.Errorf("a longer string: %v", err)
	}
	r := NewReader(input(value + "v"))
	r.Limit = -1
	if _, err := r.Scan(FlagStrict, StringVar("a", &got)); err != nil || got != value+"v" {
		t.Errorf("a longer string without limit: %v", err)
	}
	r = NewReader(input("xyz"))
	r.Limit = 2
	if _, err := r.Scan(FlagStrict, StringVar("a", &got)); !errors.As(err, &e) || e.Expect != "2" {
		t.Errorf("a limit of 2: %v", err)
	}
}

func TestReaderGreeting(t *testing.T) {
	for name, c := range map[string]struct {
		input string
		ok    bool
		is    error
	}{
		"right":          {"protocol\x00verify\x00\x00", true, nil},
		"other protocol": {"protocol\x00showq\x00\x00", false, nil},
		"no greeting":    {"queue_name\x00x\x00", false, nil},
		"empty list":     {"\x00", false, nil},
		"too much":       {"protocol\x00verify\x00x\x00", false, nil},
		"hung up":        {"", false, io.ErrUnexpectedEOF},
		"cut off":        {"proto", false, io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			err := NewReader(strings.NewReader(c.input)).Greeting("verify")
			if (err == nil) != c.ok || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("error %v", err)
			}
			var e *Error
			if err != nil && !errors.As(err, &e) {
				t.Errorf("%T is not an Error", err)
			}
		})
	}
}

func TestReaderNextName(t *testing.T) {
	for name, wrap := range readerWrappers {
		for _, c := range []struct {
			encoding Encoding
			input    string
		}{
			{Null, "first\x00a\x00second\x00b\x00\x00"},
			{Base64, "Zmlyc3Q=:YQ==\nc2Vjb25k:Yg==\n\n"},
			{Plain, "first=a\nsecond=b\n\n"},
		} {
			r := NewReader(wrap(strings.NewReader(c.input)))
			r.Encoding = c.encoding
			for _, want := range []string{"first", "second", ""} {
				for range 2 { // looking does not consume
					if got, err := r.NextName(); string(got) != want || err != nil {
						t.Fatalf("%s %v: name %q, error %v, want %q", name, c.encoding, got, err, want)
					}
				}
				if want != "" {
					r.Scan(FlagStrict|FlagMore, Want{Name: want})
				}
			}
			if r.More() {
				t.Errorf("%s %v: the list goes on", name, c.encoding)
			}
			if _, err := r.NextName(); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s %v: error %v at the end", name, c.encoding, err)
			}
		}
	}
}

func TestReaderNextNameErrors(t *testing.T) {
	for name, c := range map[string]struct {
		encoding Encoding
		input    string
		want     Error
	}{
		"too long":   {Null, "abcdefgh\x00", Error{Kind: KindTooLong, Expect: "5"}},
		"endless":    {Plain, "abcdefgh", Error{Kind: KindTooLong, Expect: "5"}},
		"not base64": {Base64, "!:", Error{Kind: KindBadBase64, Text: "!"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := NewReader(strings.NewReader(c.input))
			r.Encoding, r.Limit = c.encoding, 5
			_, err := r.NextName()
			var e *Error
			if !errors.As(err, &e) || e.Kind != c.want.Kind || e.Expect != c.want.Expect || e.Text != c.want.Text {
				t.Errorf("error %#v", err)
			}
			if r.Err() != err {
				t.Errorf("Err is %v", r.Err())
			}
		})
	}
}
