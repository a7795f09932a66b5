package attrproto

import (
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// scanAll runs a scan over an input to its end.
func scanAll(s *Scan, input string, flags Flags, wants ...Want) (count int, err *Error) {
	s.Start(flags, wants)
	s.Run([]byte(input), nil)
	s.Run([]byte(input), io.EOF)
	return s.Result()
}

func TestErrors(t *testing.T) {
	label := []Want{{Name: "label"}}
	for name, c := range map[string]struct {
		encoding Encoding
		limit    int
		flags    Flags
		wants    []Want
		input    string
		end      error
		want     Error
		warnings []string
		class    Class
	}{
		"end between strings": {
			wants: label, input: "x\x00y\x00", end: io.EOF,
			want:     Error{Kind: KindPremature, Wanted: "label", Offset: 4, Err: io.ErrUnexpectedEOF},
			warnings: []string{"premature end-of-input on peer while reading input attribute name"},
			class:    ClassIO,
		},
		"end in a string": {
			wants: label, input: "label\x00va", end: io.EOF,
			want:     Error{Kind: KindUnexpected, Wanted: "label", Value: true, Offset: 6, Err: io.ErrUnexpectedEOF},
			warnings: []string{"unexpected end-of-input from peer while reading input attribute value"},
			class:    ClassIO,
		},
		"end after a byte that looks like the end": {
			wants: label, input: "label\x00va\xff", end: io.EOF,
			want:     Error{Kind: KindPremature, Wanted: "label", Value: true, Offset: 6, Err: io.ErrUnexpectedEOF},
			warnings: []string{"premature end-of-input on peer while reading input attribute value"},
			class:    ClassIO,
		},
		"timeout": {
			wants: label, input: "label\x00", end: os.ErrDeadlineExceeded,
			want:     Error{Kind: KindTimeout, Wanted: "label", Value: true, Offset: 6, Err: os.ErrDeadlineExceeded},
			warnings: []string{"timeout on peer while reading input attribute value"},
			class:    ClassIO,
		},
		"end in a skipped value": {
			wants: label, input: "x\x00y", end: io.EOF,
			want: Error{Kind: KindUnexpected, Wanted: "label", Value: true, Skipped: true, Offset: 2, Err: io.ErrUnexpectedEOF},
			warnings: []string{
				"unexpected end-of-input from peer while reading input attribute value",
				"premature end-of-input on peer while reading input attribute name"},
			class: ClassIO,
		},
		"end before a skipped value": {
			wants: label, input: "x\x00", end: io.EOF,
			want: Error{Kind: KindPremature, Wanted: "label", Value: true, Skipped: true, Offset: 2, Err: io.ErrUnexpectedEOF},
			warnings: []string{
				"premature end-of-input on peer while reading input attribute value",
				"premature end-of-input on peer while reading input attribute name"},
			class: ClassIO,
		},
		"timeout in a skipped value": {
			wants: label, input: "x\x00y", end: os.ErrDeadlineExceeded,
			want: Error{Kind: KindUnexpected, Wanted: "label", Value: true, Skipped: true, Offset: 2, Err: os.ErrDeadlineExceeded},
			warnings: []string{
				"unexpected end-of-input from peer while reading input attribute value",
				"timeout on peer while reading input attribute name"},
			class: ClassIO,
		},
		"end in a skipped line": {
			encoding: Plain, wants: label, input: "x=y", end: io.EOF,
			want:     Error{Kind: KindPremature, Wanted: "label", Offset: 3, Err: io.ErrUnexpectedEOF},
			warnings: []string{"premature end-of-input on peer while reading input attribute name"},
			class:    ClassIO,
		},
		"not a number": {
			wants: []Want{{Type: TypeInt, Name: "ttl"}}, input: "ttl\x001x\x00",
			want:     Error{Kind: KindBadNumber, Wanted: "ttl", Value: true, Text: "1x", Offset: 4},
			warnings: []string{"malformed numerical data from peer while reading input attribute value: 1x"},
			class:    ClassSyntax,
		},
		"not a number, and long": {
			wants: []Want{{Type: TypeLong, Name: "ttl"}}, input: "ttl\x00" + strings.Repeat("x", 200) + "\x00",
			want:     Error{Kind: KindBadNumber, Wanted: "ttl", Value: true, Text: strings.Repeat("x", 200), Offset: 4},
			warnings: []string{"malformed numerical data from peer while reading input attribute value: " + strings.Repeat("x", 100)},
			class:    ClassSyntax,
		},
		"not a truth value": {
			wants: []Want{{Type: TypeBool, Name: "b"}}, input: "b\x002\x00",
			want:     Error{Kind: KindBadBool, Wanted: "b", Value: true, Text: "2", Offset: 2},
			warnings: []string{"malformed boolean value from peer while reading input attribute value: 2"},
			class:    ClassSyntax,
		},
		"not a number for a truth value": {
			wants: []Want{{Type: TypeBool, Name: "b"}}, input: "b\x00true\x00",
			want:     Error{Kind: KindBadNumber, Wanted: "b", Value: true, Text: "true", Offset: 2},
			warnings: []string{"malformed numerical data from peer while reading input attribute value: true"},
			class:    ClassSyntax,
		},
		"a number for a truth value in the plain encoding": {
			encoding: Plain, wants: []Want{{Type: TypeBool, Name: "b"}}, input: "b=1\n",
			want:     Error{Kind: KindBadBool, Wanted: "b", Value: true, Text: "1", Offset: 2},
			warnings: []string{"malformed boolean value from peer while reading input attribute value: 1"},
			class:    ClassSyntax,
		},
		"not base64": {
			wants: []Want{{Type: TypeData, Name: "d"}}, input: "d\x00YQ=\x00",
			want:     Error{Kind: KindBadBase64, Wanted: "d", Value: true, Text: "YQ=", Offset: 2},
			warnings: []string{"malformed base64 data from peer while reading input attribute value: YQ="},
			class:    ClassSyntax,
		},
		"not base64 in the base64 encoding": {
			encoding: Base64, wants: label, input: "!!!!:YQ==\n",
			want:     Error{Kind: KindBadBase64, Wanted: "label", Text: "!!!!"},
			warnings: []string{"malformed base64 data from peer: !!!!"},
			class:    ClassSyntax,
		},
		"no value": {
			encoding: Plain, wants: []Want{{Type: TypeBool, Name: "b"}}, input: "b\n",
			want:     Error{Kind: KindNoValue, Wanted: "b", Text: "b", Expect: "number"},
			warnings: []string{"missing value for number attribute b from peer"},
			class:    ClassSyntax,
		},
		"no value in the base64 encoding": {
			encoding: Base64, wants: []Want{{Type: TypeBool, Name: "a"}}, input: "YQ==\n",
			want:     Error{Kind: KindNoValue, Wanted: "a", Text: "a", Expect: "boolean"},
			warnings: []string{"missing value for boolean attribute a from peer"},
			class:    ClassSyntax,
		},
		"two values": {
			encoding: Base64, wants: []Want{{Name: "a"}}, input: "YQ==:YQ==:YQ==\n",
			want:     Error{Kind: KindManyValues, Wanted: "a", Value: true, Text: "a", Offset: 5},
			warnings: []string{"multiple values for attribute a from peer"},
			class:    ClassSyntax,
		},
		"a name that is too long": {
			limit: 3, wants: label, input: "label\x00",
			want:     Error{Kind: KindTooLong, Wanted: "label", Expect: "3"},
			warnings: []string{"string from peer while reading input attribute name exceeds the limit of 3 bytes"},
			class:    ClassSyntax,
		},
		"a value that gets too long": {
			limit: 5, wants: label, input: "label\x00123456",
			want:     Error{Kind: KindTooLong, Wanted: "label", Value: true, Expect: "5", Offset: 6},
			warnings: []string{"string from peer while reading input attribute value exceeds the limit of 5 bytes"},
			class:    ClassSyntax,
		},
		"another value": {
			wants: []Want{Equal("protocol", "test")}, input: "protocol\x00not-test\x00",
			want:     Error{Kind: KindMismatch, Wanted: "protocol", Value: true, Text: "not-test", Expect: "test", Offset: 9},
			warnings: []string{"unexpected protocol not-test from peer (expected: test)"},
			class:    ClassWish,
		},
		"a part that is not complete": {
			wants: []Want{ListVar(Want{Name: "a"}, Want{Name: "b"})}, input: "a\x00b\x00\x00",
			want:     Error{Kind: KindRejected, Offset: 5},
			warnings: nil,
			class:    ClassWish,
		},
		"the end before a part": {
			wants: []Want{{Name: "a"}, ListVar(Want{Name: "b"})}, input: "a\x00b\x00", end: io.EOF,
			want:     Error{Kind: KindRejected, Offset: 4, Err: io.ErrUnexpectedEOF},
			warnings: nil,
			class:    ClassIO,
		},
		"a part that is malformed": {
			wants: []Want{{Name: "a"}, ListVar(Want{Name: "b"}, Want{Type: TypeInt, Name: "c"})}, input: "a\x00b\x00b\x00c\x00c\x00d\x00",
			want:     Error{Kind: KindBadNumber, Wanted: "c", Value: true, Text: "d", Offset: 10},
			warnings: []string{"malformed numerical data from peer while reading input attribute value: d"},
			class:    ClassSyntax,
		},
		"an attribute that was not asked for": {
			flags: FlagExtra, wants: label, input: "x\x00y\x00",
			want:     Error{Kind: KindExtra, Wanted: "label", Text: "x"},
			warnings: []string{"unexpected attribute x from peer (expecting: label)"},
			class:    ClassWish,
		},
		"an attribute after the last one": {
			flags: FlagExtra, wants: label, input: "label\x00\x00y\x00",
			want:     Error{Kind: KindExtra, Wanted: "(list terminator)", Text: "y", Offset: 7},
			warnings: []string{"unexpected attribute y from peer (expecting: (list terminator))"},
			class:    ClassWish,
		},
		"an early end of the list": {
			flags: FlagMissing, wants: label, input: "\x00",
			want:     Error{Kind: KindMissing, Wanted: "label"},
			warnings: []string{"missing attribute label in input from peer"},
			class:    ClassWish,
		},
		"an early end of the list in a group": {
			flags: FlagMissing, wants: []Want{HashVar(map[string]string{})}, input: "{\x00a\x00b\x00\x00",
			want:     Error{Kind: KindMissing, Wanted: "(any attribute name or '}')", Offset: 6},
			warnings: []string{"missing attribute (any attribute name or '}') in input from peer"},
			class:    ClassWish,
		},
		"a name that is in the table": {
			flags: FlagExtra, wants: []Want{HashVar(map[string]string{"a": "1"})}, input: "a\x00b\x00\x00",
			want:     Error{Kind: KindDuplicate, Wanted: "(any attribute name or list terminator)", Value: true, Text: "a", Offset: 2},
			warnings: []string{"duplicate attribute a in input from peer"},
			class:    ClassWish,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := Scan{Encoding: c.encoding, Limit: c.limit}
			s.Start(c.flags, c.wants)
			if s.Run([]byte(c.input), nil) == (c.end != nil) {
				t.Errorf("done is wrong before the end of the input")
			}
			s.Run([]byte(c.input), c.end)
			_, err := s.Result()
			if err == nil {
				t.Fatal("no error")
			}
			c.want.Encoding = c.encoding
			if diff := cmp.Diff(c.want, *err, cmp.Comparer(func(a, b error) bool { return a == b })); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.warnings, err.Warnings("peer")); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
			if got := err.Class(); got != c.class {
				t.Errorf("class %d, want %d", got, c.class)
			}
			if text := err.Error(); !strings.HasPrefix(text, "attribute list: ") || !strings.Contains(text, "offset "+strconv.Itoa(c.want.Offset)) {
				t.Errorf("message %q", text)
			}
		})
	}
}

// TestBool has the type that Postfix 3.7.11 lacks, so that the reference cases
// do not have it.
func TestBool(t *testing.T) {
	for _, c := range []struct {
		encoding Encoding
		input    string
		want     bool
	}{
		{Null, "b\x000\x00\x00", false},
		{Null, "b\x001\x00\x00", true},
		{Null, "b\x00+01\x00\x00", true},
		{Null, "b\x004294967297\x00\x00", true},
		{Base64, "Yg==:MQ==\n\n", true},
		{Base64, "Yg==:MA==\n\n", false},
		{Plain, "b=true\n\n", true},
		{Plain, "b=false\n\n", false},
		{Plain, "b=true\x00junk\n\n", true},
	} {
		s := Scan{Encoding: c.encoding}
		got := !c.want
		count, err := scanAll(&s, c.input, FlagStrict, BoolVar("b", &got))
		if count != 1 || err != nil || got != c.want || s.Uint(0) != 0 != c.want {
			t.Errorf("%q in %v: count %d, error %v, value %v", c.input, c.encoding, count, err, got)
		}
	}
}

// argv is the part of a list that argv_attr_scan of Postfix reads: a number,
// then as many strings.
func argv(to *[]string) Sublist {
	left := -1
	return func(got *Scan, list []byte) (next []Want, ok bool) {
		switch {
		case got == nil:
			return []Want{{Type: TypeInt, Name: "argv_size"}}, true
		case got.Granted() != 1:
			return nil, false
		case left < 0:
			left = int(got.Uint(0))
		default:
			*to = append(*to, string(got.Bytes(list, 0)))
			left--
		}
		if left == 0 {
			return nil, true
		}
		return []Want{{Name: "argv_value"}}, true
	}
}

func TestSublist(t *testing.T) {
	for _, e := range []Encoding{Null, Base64, Plain} {
		t.Run(e.String(), func(t *testing.T) {
			var b strings.Builder
			w := NewWriter(&b)
			w.Encoding = e
			w.String("first", "1")
			w.Int("argv_size", 3)
			for _, arg := range []string{"a", "", "ccc"} {
				w.String("argv_value", arg)
			}
			w.Int("argv_size", 0)
			w.String("last", "9")
			if err := w.Send(); err != nil {
				t.Fatal(err)
			}
			var args, none []string
			var first, last string
			s := Scan{Encoding: e}
			count, err := scanAll(&s, b.String(), FlagStrict,
				StringVar("first", &first), FuncVar(argv(&args)), FuncVar(argv(&none)), StringVar("last", &last))
			if count != 4 || err != nil {
				t.Errorf("count %d, error %v", count, err)
			}
			if diff := cmp.Diff([]string{"a", "", "ccc"}, args); diff != "" {
				t.Error(diff)
			}
			if first != "1" || last != "9" || none != nil {
				t.Errorf("first %q, last %q, none %q", first, last, none)
			}
		})
	}
}

// TestSublistOfNothing has functions that ask for nothing, or refuse to.
func TestSublistOfNothing(t *testing.T) {
	nothing := FuncVar(func(*Scan, []byte) ([]Want, bool) { return nil, true })
	refusal := FuncVar(func(*Scan, []byte) ([]Want, bool) { return nil, false })
	var s Scan
	if count, err := scanAll(&s, "a\x001\x00\x00", FlagStrict, nothing, Want{Name: "a"}, nothing); count != 3 || err != nil {
		t.Errorf("nothing: count %d, error %v", count, err)
	}
	if count, err := scanAll(&s, "a\x001\x00\x00", FlagStrict, Want{Name: "a"}, refusal); count != -1 || err == nil || err.Kind != KindRejected {
		t.Errorf("refusal: count %d, error %v", count, err)
	}
}

// TestNoValue has the name that the reference gives to each type.
func TestNoValue(t *testing.T) {
	for _, e := range []Encoding{Base64, Plain} {
		input := map[Encoding]string{Base64: "YQ==\n", Plain: "a\n"}[e]
		for want, name := range map[*Want]string{
			{Type: TypeString, Name: "a"}: "string", {Type: TypeInt, Name: "a"}: "number", {Type: TypeLong, Name: "a"}: "number",
			{Type: TypeData, Name: "a"}: "data", {Type: TypeStreq, Name: "a"}: "string", {Type: TypeHash, To: map[string]string{}}: "string",
		} {
			s := Scan{Encoding: e}
			count, err := scanAll(&s, input, FlagStrict, *want)
			if text := "missing value for " + name + " attribute a from peer"; count != -1 || err == nil || err.warning("peer") != text {
				t.Errorf("%v: count %d, error %v, want %s", e, count, err, text)
			}
		}
	}
}

// TestHashLimit fills a table to its limit and beyond.
func TestHashLimit(t *testing.T) {
	var b strings.Builder
	w := NewWriter(&b)
	table := map[string]string{}
	for i := range hashLimit + 1 {
		table[strconv.Itoa(i)] = ""
	}
	w.Hash(table)
	if err := w.Send(); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	var s Scan
	count, err := scanAll(&s, b.String(), FlagStrict, HashVar(got))
	if count != hashLimit || len(got) != hashLimit || err == nil || err.Kind != KindTooMany {
		t.Fatalf("count %d, %d names, error %v", count, len(got), err)
	}
	if want := "attribute count exceeds limit 1024 in input from peer"; err.warning("peer") != want {
		t.Errorf("warning %q, want %q", err.warning("peer"), want)
	}
}

// TestVariables has every kind of variable that a value can go to.
func TestVariables(t *testing.T) {
	var i, l int
	var i32 int32
	var u32 uint32
	var i64, j64 int64
	var u64, v64 uint64
	var text string
	data := []byte("to be overwritten")
	var s Scan
	input := strings.Repeat("n\x00-1\x00", 8) + "s\x00x\x00d\x00AAE=\x00\x00"
	count, err := scanAll(&s, input, FlagStrict,
		IntVar("n", &i), IntVar("n", &i32), IntVar("n", &u32), IntVar("n", &i64), IntVar("n", &u64),
		LongVar("n", &l), LongVar("n", &j64), LongVar("n", &v64), StringVar("s", &text), DataVar("d", &data))
	if count != 10 || err != nil {
		t.Fatalf("count %d, error %v", count, err)
	}
	got := []any{i, i32, u32, i64, u64, l, j64, v64, text, string(data)}
	want := []any{-1, int32(-1), uint32(1<<32 - 1), int64(-1), uint64(1<<32 - 1),
		-1, int64(-1), uint64(1<<64 - 1), "x", "\x00\x01"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestUnknownVariable(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic for a variable of a type that has no meaning here")
		}
	}()
	var s Scan
	scanAll(&s, "n\x001\x00\x00", 0, Want{Type: TypeInt, Name: "n", To: new(float64)})
}

// TestCompact reads a list that is much longer than what is kept of it.
func TestCompact(t *testing.T) {
	for _, e := range []Encoding{Null, Base64, Plain} {
		t.Run(e.String(), func(t *testing.T) {
			var b strings.Builder
			w := NewWriter(&b)
			w.Encoding = e
			for i := range 100 {
				w.String("noise", strings.Repeat("x", i))
				switch i {
				case 30:
					w.String("a", "first")
				case 60:
					w.String("sub", "second")
				case 90:
					w.Data("b", []byte("third"))
				}
			}
			w.End()
			w.Flush()
			input := b.String()
			s := Scan{Encoding: e}
			s.Start(0, []Want{{Name: "a"}, ListVar(Want{Name: "sub"}), {Type: TypeData, Name: "b"}})
			var list []byte
			longest := 0
			for !s.Run(list, nil) {
				list = s.Compact(list)
				longest = max(longest, len(list))
				list = append(list, input[0])
				input = input[1:]
			}
			count, err := s.Result()
			if count != 3 || err != nil || len(input) != 0 {
				t.Fatalf("count %d, error %v, %d bytes of the input left", count, err, len(input))
			}
			if a, b := string(s.Bytes(list, 0)), string(s.Bytes(list, 2)); a != "first" || b != "third" {
				t.Errorf("values %q and %q", a, b)
			}
			if longest > 200 {
				t.Errorf("kept up to %d bytes", longest)
			}
		})
	}
}

// TestCompactOffset has an error whose place is in what was thrown away.
func TestCompactOffset(t *testing.T) {
	var s Scan
	s.Start(0, []Want{{Name: "a"}, {Type: TypeInt, Name: "b"}})
	list := []byte("x\x00y\x00a\x001\x00x\x00y\x00b\x00")
	if s.Run(list, nil) {
		t.Fatal("done")
	}
	list = append(s.Compact(list), "z\x00"...)
	s.Run(list, nil)
	if _, err := s.Result(); err == nil || err.Kind != KindBadNumber || err.Offset != 14 {
		t.Errorf("error %+v, want a bad number at offset 14", err)
	}
	if got := string(s.Bytes(list, 0)); got != "1" {
		t.Errorf("value %q", got)
	}
}

// TestCompactOffsetOfAPart has such an error in a part of the list.
func TestCompactOffsetOfAPart(t *testing.T) {
	var s Scan
	s.Start(0, []Want{{Name: "a"}, ListVar(Want{Type: TypeInt, Name: "b"})})
	list := []byte("a\x001\x00x\x00y\x00b\x00")
	if s.Run(list, nil) {
		t.Fatal("done")
	}
	list = append(s.Compact(list), "z\x00"...)
	s.Run(list, nil)
	if _, err := s.Result(); err == nil || err.Kind != KindBadNumber || err.Offset != 10 {
		t.Errorf("error %+v, want a bad number at offset 10", err)
	}
	if consumed := s.Consumed() + s.dropped; consumed != 12 {
		t.Errorf("consumed %d bytes, want 12", consumed)
	}
}

func TestErrorIs(t *testing.T) {
	var s Scan
	_, err := scanAll(&s, "a", 0, Want{Name: "a"})
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v is not io.ErrUnexpectedEOF", err)
	}
}
