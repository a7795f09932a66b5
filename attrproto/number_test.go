package attrproto

import (
	"math"
	"math/big"
	"strings"
	"testing"
)

func TestParseUint(t *testing.T) {
	for text, want := range map[string]uint64{
		"0":                                0,
		"7":                                7,
		"007":                              7,
		"+7":                               7,
		" \t\n\v\f\r7":                     7,
		"-0":                               0,
		"-1":                               math.MaxUint64,
		"-18446744073709551614":            2,
		"18446744073709551615":             math.MaxUint64,
		"18446744073709551616":             math.MaxUint64,
		"-18446744073709551615":            1,
		"-18446744073709551616":            math.MaxUint64,
		"99999999999999999999999999999999": math.MaxUint64,
	} {
		if got, ok := parseUint([]byte(text)); !ok || got != want {
			t.Errorf("%q: %d, %v, want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"", " ", "+", "-", "+-1", "- 1", "1 ", "1x", "0x1", "1e3", "1.0", "x1", "\xa01", "٣", "1\x00"} {
		if got, ok := parseUint([]byte(text)); ok {
			t.Errorf("%q is %d", text, got)
		}
	}
}

// FuzzParseUint holds the parser against arithmetic without limits.
func FuzzParseUint(f *testing.F) {
	for _, text := range []string{"1", "-1", " +7", "18446744073709551616", "x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := parseUint([]byte(text))
		digits := strings.TrimLeft(text, " \t\n\v\f\r")
		negative := strings.HasPrefix(digits, "-")
		if negative || strings.HasPrefix(digits, "+") {
			digits = digits[1:]
		}
		if valid := digits != "" && strings.Trim(digits, "0123456789") == ""; valid != ok {
			t.Fatalf("ok is %v", ok)
		} else if !valid {
			return
		}
		want, _ := new(big.Int).SetString(digits, 10)
		switch {
		case want.BitLen() > 64:
			want.SetUint64(math.MaxUint64)
		case negative:
			want.SetUint64(-want.Uint64())
		}
		if got != want.Uint64() {
			t.Fatalf("%d, want %d", got, want)
		}
	})
}
