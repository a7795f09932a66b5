package attrproto

import (
	"io"
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
