package attrproto

import (
	"bytes"
	"encoding/base64"
	"testing"
)

func TestUnbase64(t *testing.T) {
	for text, want := range map[string]string{
		"":              "",
		"YWJj":          "abc",
		"YWI=":          "ab",
		"YQ==":          "a",
		"YR==":          "a",    // bits left over
		"YQ=x":          "a",    // anything after the padding
		"YQ==YQ==":      "a",    // even more of it
		"YQ=\x00!!!!":   "a",    //
		"YWI=\xff\n\n":  "fail", // not a multiple of four
		"YWI=\xff\n\n ": "ab",
		"Y":             "fail",
		"YQ=":           "fail",
		"=Q==":          "fail",
		"Y===":          "fail",
		"YWJ!":          "fail",
		"YW!=":          "fail",
		"YWJjYQ":        "fail",
		"YWJj\n":        "fail",
		"YW-_":          "fail",
	} {
		got, ok := appendUnbase64([]byte("before "), []byte(text))
		if want == "fail" {
			if ok || string(got) != "before " {
				t.Errorf("%q: %q, %v", text, got, ok)
			}
		} else if !ok || string(got) != "before "+want {
			t.Errorf("%q: %q, %v, want %q", text, got, ok, want)
		}
	}
}

// FuzzUnbase64 holds the decoder against the standard library's, which takes
// less.
func FuzzUnbase64(f *testing.F) {
	for _, text := range []string{"", "YQ==", "YWI=", "YWJj", "YQ=x", "Y===", "YWJjYWJjYWJj"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, ok := appendUnbase64(nil, text)
		if len(got) > len(text)/4*3 {
			t.Fatalf("%d bytes decoded to %d", len(text), len(got))
		}
		// The standard library skips line breaks; the reference does not.
		want, err := base64.StdEncoding.DecodeString(string(text))
		if err == nil && !bytes.ContainsAny(text, "\r\n") && (!ok || string(got) != string(want)) {
			t.Fatalf("%q, want %q", got, want)
		}
		if got, want := string(appendBase64(nil, text)), base64.StdEncoding.EncodeToString(text); got != want {
			t.Fatalf("encoded %q, want %q", got, want)
		}
		again, ok := appendUnbase64(nil, appendBase64(nil, text))
		if !ok || string(again) != string(text) {
			t.Fatalf("encoded and decoded: %q", again)
		}
	})
}
