package attrproto

import (
	"strings"
	"testing"
)

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"plain text ~":     "plain text ~",
		"a\tb\nc\x7fd\x00": "a?b?c?d?",
		"é €":              "é €",
		"\xc3":             "?",                // no continuation
		"\xc3(":            "?(",               //
		"\x80\xbf":         "??",               // continuations of nothing
		"\xc1\xa9":         "??",               // 193 begins nothing
		"\xff\x80":         "??",               // nor does 255
		"\xc3\xa9\xa9\xa9": "\xc3\xa9\xa9\xa9", // too many are all the same to Postfix 3.7
	} {
		if got := string(Printable([]byte(text))); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func TestPrintableIsIdempotent(t *testing.T) {
	for a := range 256 {
		for b := range 256 {
			once := Printable([]byte{'<', byte(a), byte(b), '>'})
			if twice := Printable([]byte(string(once))); string(once) != string(twice) {
				t.Fatalf("%q became %q", once, twice)
			}
			if strings.ContainsAny(string(once), "\x00\n\x1b") {
				t.Fatalf("%q has control characters", once)
			}
		}
	}
}
