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

func TestErrorIs(t *testing.T) {
	var s Scan
	_, err := scanAll(&s, "a", 0, Want{Name: "a"})
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v is not io.ErrUnexpectedEOF", err)
	}
}
