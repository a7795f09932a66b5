package attrproto

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAppend(t *testing.T) {
	type appender func(e Encoding, dst []byte) ([]byte, error)
	for name, c := range map[string]struct {
		call appender
		want [3]string // null, base64, plain
	}{
		"string": {
			func(e Encoding, b []byte) ([]byte, error) { return e.AppendString(b, "name", "va=lue") },
			[3]string{"name\x00va=lue\x00", "bmFtZQ==:dmE9bHVl\n", "name=va=lue\n"},
		},
		"any byte": {
			func(e Encoding, b []byte) ([]byte, error) { return e.AppendString(b, "n", "\xff") },
			[3]string{"n\x00\xff\x00", "bg==:/w==\n", "n=\xff\n"},
		},
		"int": {
			func(e Encoding, b []byte) ([]byte, error) { return e.AppendInt(b, "n", 7) },
			[3]string{"n\x007\x00", "bg==:Nw==\n", "n=7\n"},
		},
		"negative int": {
			func(e Encoding, b []byte) ([]byte, error) { return e.AppendInt(b, "n", -1) },
			[3]string{"n\x004294967295\x00", "bg==:NDI5NDk2NzI5NQ==\n", "n=4294967295\n"},
		},
		"largest int": {
			func(e Encoding, b []byte) ([]byte, error) { return e.AppendInt(b, "n", math.MaxUint32) },
			[3]string{"n\x004294967295\x00", "bg==:NDI5NDk2NzI5NQ==\n", "n=4294967295\n"},
		},
		"negative long": {
			func(e Encoding, b []byte) ([]byte, error) { return e.AppendLong(b, "n", -1) },
			[3]string{"n\x0018446744073709551615\x00", "bg==:MTg0NDY3NDQwNzM3MDk1NTE2MTU=\n", "n=18446744073709551615\n"},
		},
		"true": {
			func(e Encoding, b []byte) ([]byte, error) { return e.AppendBool(b, "n", true) },
			[3]string{"n\x001\x00", "bg==:MQ==\n", "n=true\n"},
		},
		"data": {
			func(e Encoding, b []byte) ([]byte, error) { return e.AppendData(b, "n", []byte("\x00\n")) },
			[3]string{"n\x00AAo=\x00", "bg==:AAo=\n", "n=AAo=\n"},
		},
		"group": {
			func(e Encoding, b []byte) ([]byte, error) { return e.AppendClose(e.AppendOpen(b)), nil },
			[3]string{"{\x00}\x00", "ew==\nfQ==\n", "{\x00\n}\x00\n"},
		},
		"end": {
			func(e Encoding, b []byte) ([]byte, error) { return e.AppendEnd(b), nil },
			[3]string{"\x00", "\n", "\n"},
		},
	} {
		for e, want := range c.want {
			t.Run(name+" "+Encoding(e).String(), func(t *testing.T) {
				got, err := c.call(Encoding(e), []byte("before "))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff("before "+want, string(got)); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func TestAppendErrors(t *testing.T) {
	for name, c := range map[string]struct {
		call func(b []byte) ([]byte, error)
		want EncodeError
		text string
	}{
		"NUL in a name": {
			func(b []byte) ([]byte, error) { return Null.AppendString(b, "a\x00b", "") },
			EncodeError{Name: "a\x00b", Offset: 1, Reason: "holds a NUL byte"},
			`attribute "a\x00b": the name holds a NUL byte`,
		},
		"NUL in a value": {
			func(b []byte) ([]byte, error) { return Null.AppendString(b, "a", "b\x00") },
			EncodeError{Name: "a", Value: true, Offset: 1, Reason: "holds a NUL byte"},
			`attribute "a": the value holds a NUL byte`,
		},
		"NUL in a value, base64": {
			func(b []byte) ([]byte, error) { return Base64.AppendString(b, "a", "\x00") },
			EncodeError{Name: "a", Value: true, Reason: "holds a NUL byte"},
			`attribute "a": the value holds a NUL byte`,
		},
		"NUL in the name of data": {
			func(b []byte) ([]byte, error) { return Base64.AppendData(b, "\x00", nil) },
			EncodeError{Name: "\x00", Reason: "holds a NUL byte"},
			`attribute "\x00": the name holds a NUL byte`,
		},
		"newline in a plain value": {
			func(b []byte) ([]byte, error) { return Plain.AppendString(b, "a", "b\nc=d") },
			EncodeError{Name: "a", Value: true, Offset: 1, Reason: "holds a newline"},
			`attribute "a": the value holds a newline`,
		},
		"equals sign in a plain name": {
			func(b []byte) ([]byte, error) { return Plain.AppendInt(b, "a=b", 1) },
			EncodeError{Name: "a=b", Offset: 1, Reason: "holds an equals sign"},
			`attribute "a=b": the name holds an equals sign`,
		},
		"empty name": {
			func(b []byte) ([]byte, error) { return Null.AppendLong(b, "", 1) },
			EncodeError{Reason: "is empty"},
			`attribute "": the name is empty`,
		},
		"brace": {
			func(b []byte) ([]byte, error) { return Null.AppendBool(b, "}", true) },
			EncodeError{Name: "}", Reason: "is the mark of a group"},
			`attribute "}": the name is the mark of a group`,
		},
		"number too large": {
			func(b []byte) ([]byte, error) { return Plain.AppendInt(b, "n", math.MaxUint32+1) },
			EncodeError{Name: "n", Value: true, Reason: "does not fit in 32 bits"},
			`attribute "n": the value does not fit in 32 bits`,
		},
		"number too small": {
			func(b []byte) ([]byte, error) { return Plain.AppendInt(b, "n", math.MinInt32-1) },
			EncodeError{Name: "n", Value: true, Reason: "does not fit in 32 bits"},
			`attribute "n": the value does not fit in 32 bits`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.call([]byte("before"))
			var e *EncodeError
			if !errors.As(err, &e) {
				t.Fatalf("error %v", err)
			}
			if diff := cmp.Diff(c.want, *e); diff != "" {
				t.Error(diff)
			}
			if e.Error() != c.text {
				t.Errorf("message %q, want %q", e, c.text)
			}
			if string(got) != "before" {
				t.Errorf("%q was appended", got)
			}
		})
	}
}

// TestNamesThatOnlyNullReserves can be sent in the other encodings, since
// there they have a separator.
func TestNamesThatOnlyNullReserves(t *testing.T) {
	for _, e := range []Encoding{Base64, Plain} {
		for _, name := range []string{"", "{", "}"} {
			b, err := e.AppendString(e.AppendOpen(nil), name, "v")
			if err != nil {
				t.Errorf("%v: %v", e, err)
			}
			b = e.AppendEnd(e.AppendClose(b))
			table := map[string]string{}
			s := Scan{Encoding: e}
			if count, err := scanAll(&s, string(b), FlagStrict, HashVar(table)); count != 1 || err != nil || table[name] != "v" {
				t.Errorf("%v: %q: count %d, error %v, table %v", e, name, count, err, table)
			}
		}
	}
}

func TestParseEncoding(t *testing.T) {
	for _, e := range []Encoding{Null, Base64, Plain} {
		if got, ok := ParseEncoding(e.String()); got != e || !ok {
			t.Errorf("ParseEncoding(%q) = %v, %v", e.String(), got, ok)
		}
	}
	if _, ok := ParseEncoding("utf-7"); ok {
		t.Error("utf-7 is an encoding")
	}
	if got := Encoding(99).String(); got != "unknown encoding" {
		t.Errorf("Encoding(99) is %q", got)
	}
}
