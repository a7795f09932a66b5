package attrtool

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"scache/attrproto"
)

// samples are streams in every encoding, and what they look like.
var samples = map[string]struct {
	encoding attrproto.Encoding
	stream   string
	lines    string
	json     string
}{
	"null": {
		attrproto.Null,
		"request\x00save\x00label\x00smtp\n\xff é\x00{\x00a b\x00\"\\\x00}\x00\x00\x00last\x00\x00\x00",
		"request = \"save\"\nlabel = \"smtp\\n\\xff é\"\n{\n  \"a b\" = \"\\\"\\\\\"\n}\n\n\nlast = \"\"\n\n",
		`{"attributes":[{"name":"request","value":"save"},{"name":"label","value_base64":"c210cAr/IMOp"},{"group":"open"},{"name":"a b","value":"\"\\"},{"group":"close"}]}` + "\n" +
			`{"attributes":[]}` + "\n" + `{"attributes":[{"name":"last","value":""}]}` + "\n",
	},
	"base64": {
		attrproto.Base64,
		"cmVxdWVzdA==:c2F2ZQ==\new==\nYQ==:AA==\nfQ==\n\n",
		"request = \"save\"\n{\n  a = \"\\x00\"\n}\n\n",
		`{"attributes":[{"name":"request","value":"save"},{"group":"open"},{"name":"a","value":"\u0000"},{"group":"close"}]}` + "\n",
	},
	"plain": {
		attrproto.Plain,
		"request=a=b\n{\x00\na=\n}\x00\n\n=\n\n",
		"request = \"a=b\"\n{\n  a = \"\"\n}\n\n\"\" = \"\"\n\n",
		`{"attributes":[{"name":"request","value":"a=b"},{"group":"open"},{"name":"a","value":""},{"group":"close"}]}` + "\n" +
			`{"attributes":[{"name":"","value":""}]}` + "\n",
	},
	"a list without end": {
		attrproto.Null,
		"a\x00b\x00\x00c\x00d\x00",
		"a = \"b\"\n\nc = \"d\"\n",
		`{"attributes":[{"name":"a","value":"b"}]}` + "\n" + `{"attributes":[{"name":"c","value":"d"}],"open":true}` + "\n",
	},
	"a group without end": {
		attrproto.Null,
		"{\x00a\x00b\x00\x00{\x00",
		"{\n  a = \"b\"\n\n{\n",
		`{"attributes":[{"group":"open"},{"name":"a","value":"b"}]}` + "\n" + `{"attributes":[{"group":"open"}],"open":true}` + "\n",
	},
	"nothing": {attrproto.Null, "", "", ""},
}

func TestDecode(t *testing.T) {
	for name, c := range samples {
		for f, want := range map[Format]string{Lines: c.lines, JSON: c.json} {
			for _, in := range []io.Reader{strings.NewReader(c.stream), iotest.OneByteReader(strings.NewReader(c.stream))} {
				var got bytes.Buffer
				if err := Decode(&got, in, c.encoding, f); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				if diff := cmp.Diff(want, got.String()); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
		}
	}
}

func TestEncode(t *testing.T) {
	for name, c := range samples {
		for f, text := range map[Format]string{Lines: c.lines, JSON: c.json} {
			var got bytes.Buffer
			if err := Encode(&got, strings.NewReader(text), c.encoding, f); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if diff := cmp.Diff(c.stream, got.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	for name, c := range map[string]struct {
		encoding attrproto.Encoding
		stream   string
		lines    string // what is shown before the error
		text     string
		is       error
	}{
		"in a name":      {attrproto.Null, "a\x00b\x00cd", "a = \"b\"\n", "starts at offset 4", io.ErrUnexpectedEOF},
		"in a value":     {attrproto.Null, "a\x00b", "", "starts at offset 0", io.ErrUnexpectedEOF},
		"no value":       {attrproto.Plain, "a=b\nnope\n", "a = \"b\"\n", "missing value for string attribute nope from input at offset 4", nil},
		"no base64":      {attrproto.Base64, "YQ==:YQ==\nYQ==:YQ\n", "a = \"a\"\n", "malformed base64 data from input: YQ at offset 15", nil},
		"a broken input": {attrproto.Null, "", "", "read: broken", errBroken},
	} {
		t.Run(name, func(t *testing.T) {
			var in io.Reader = strings.NewReader(c.stream)
			if c.is == errBroken {
				in = iotest.ErrReader(errBroken)
			}
			var got bytes.Buffer
			err := Decode(&got, in, c.encoding, Lines)
			if err == nil || !strings.Contains(err.Error(), c.text) || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("error %v", err)
			}
			if got.String() != c.lines {
				t.Errorf("shown: %q, want %q", got.String(), c.lines)
			}
		})
	}
}

var errBroken = errors.New("broken")

func TestDecodeWriteError(t *testing.T) {
	for _, f := range []Format{Lines, JSON} {
		if err := Decode(brokenWriter{}, strings.NewReader("a\x00b\x00\x00"), attrproto.Null, f); err != errBroken {
			t.Errorf("format %v: %v", f, err)
		}
		if err := Encode(brokenWriter{}, strings.NewReader(map[Format]string{Lines: "\n", JSON: `{"attributes":[]}`}[f]), attrproto.Null, f); !errors.Is(err, errBroken) {
			t.Errorf("encode, format %v: %v", f, err)
		}
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestEncodeErrors(t *testing.T) {
	for name, c := range map[string]struct {
		encoding attrproto.Encoding
		format   Format
		input    string
		text     string
	}{
		"no equals sign":    {attrproto.Null, Lines, "a\n", `line 1: no = after the name "a"`},
		"no quotes":         {attrproto.Null, Lines, "\na = b\n", `line 2: the value of "a" is not a quoted string`},
		"half a name":       {attrproto.Null, Lines, "\"a\n", `line 1: a name without its second quote`},
		"NUL":               {attrproto.Null, Lines, `a = "\x00"`, `line 1: attribute "a"`},
		"newline":           {attrproto.Plain, Lines, `a = "\n"`, `line 1: attribute "a"`},
		"a stray brace":     {attrproto.Null, Lines, "}", "line 1: "},
		"a group in one":    {attrproto.Plain, Lines, "{\n{\n", "line 2: "},
		"no name":           {attrproto.Null, Lines, `"" = "a"`, "line 1: "},
		"not JSON":          {attrproto.Null, JSON, "{", "list 1: "},
		"unknown member":    {attrproto.Null, JSON, `{"attribute":[]}`, "list 1: "},
		"a third mark":      {attrproto.Null, JSON, `{"attributes":[]}{"attributes":[{"group":"shut"}]}`, `list 2: a group has an open and a close, not "shut"`},
		"two values":        {attrproto.Null, JSON, `{"attributes":[{"name":"a","value":"","value_base64":"YQ=="}]}`, "list 1: an attribute has one name and one value"},
		"no value":          {attrproto.Null, JSON, `{"attributes":[{"name":"a"}]}`, "list 1: an attribute has one name and one value"},
		"a name of nothing": {attrproto.Null, JSON, `{"attributes":[{"name":"","value":""}]}`, "list 1: "},
	} {
		t.Run(name, func(t *testing.T) {
			err := Encode(io.Discard, strings.NewReader(c.input), c.encoding, c.format)
			if err == nil || !strings.HasPrefix(err.Error(), c.text) {
				t.Errorf("error %v, want %q", err, c.text)
			}
		})
	}
}

func TestEncodeSkipsComments(t *testing.T) {
	var got bytes.Buffer
	if err := Encode(&got, strings.NewReader("# a comment\n  a=\"b\"\n\n"), attrproto.Plain, Lines); err != nil || got.String() != "a=b\n\n" {
		t.Errorf("%q, %v", got.String(), err)
	}
}

// FuzzTool decodes any stream and encodes the text again.
func FuzzTool(f *testing.F) {
	for _, c := range samples {
		f.Add(byte(c.encoding), []byte(c.stream))
	}
	f.Add(byte(attrproto.Plain), []byte("{\na=b\n}\n\n"))
	f.Add(byte(attrproto.Base64), []byte("YR==:YQ==\new=x\n"))
	f.Fuzz(func(t *testing.T, encoding byte, stream []byte) {
		e := attrproto.Encoding(encoding % 3)
		for _, format := range []Format{Lines, JSON} {
			var text, again, text2 bytes.Buffer
			failure := Decode(&text, bytes.NewReader(stream), e, format)
			if err := Encode(&again, bytes.NewReader(text.Bytes()), e, format); err != nil {
				t.Fatalf("%q: %v", text.String(), err)
			}
			if e == attrproto.Null && !bytes.HasPrefix(stream, again.Bytes()) ||
				e == attrproto.Null && failure == nil && again.Len() != len(stream) {
				t.Fatalf("%q became %q", stream, again.String())
			}
			if err := Decode(&text2, &again, e, format); err != nil || text.String() != text2.String() {
				t.Fatalf("%q became %q, %v", text.String(), text2.String(), err)
			}
		}
	})
}
