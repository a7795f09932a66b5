package daemon

import (
	"math"
	"testing"
)

func TestStrtol(t *testing.T) {
	tests := []struct {
		in      string
		n       int64
		rest    string
		inRange bool
	}{
		{"", 0, "", true},
		{"5", 5, "", true},
		{"007x", 7, "x", true},
		{" \t\n\v\f\r5 ", 5, " ", true},
		{"+5", 5, "", true},
		{"-5s", -5, "s", true},
		{"--5", 0, "--5", true},
		{"+ 5", 0, "+ 5", true},
		{"abc", 0, "abc", true},
		{" ", 0, " ", true},
		{"0x10", 0, "x10", true},
		{"9223372036854775807", math.MaxInt64, "", true},
		{"9223372036854775808", math.MaxInt64, "", false},
		{"-9223372036854775808", math.MinInt64, "", true},
		{"-9223372036854775809", math.MinInt64, "", false},
		{"99999999999999999999999w", math.MaxInt64, "w", false},
		{"-99999999999999999999999w", math.MinInt64, "w", false},
	}
	for _, test := range tests {
		t.Run(test.in, func(t *testing.T) {
			n, rest, inRange := strtol(test.in)
			if n != test.n || rest != test.rest || inRange != test.inRange {
				t.Errorf("got %d %q %t, want %d %q %t", n, rest, inRange, test.n, test.rest, test.inRange)
			}
		})
	}
}

func TestOctal(t *testing.T) {
	for in, want := range map[string]uint32{
		"17": 15, "0": 0, "18": 1, "9": 0, "37777777777": math.MaxUint32,
		"40000000001": 1, "1777777777777777777777": math.MaxUint32, "7777777777777777777777777": math.MaxUint32,
	} {
		if got := octal(in); got != want {
			t.Errorf("octal(%s) = %d, want %d", in, got, want)
		}
	}
}

func TestAtoi(t *testing.T) {
	for in, want := range map[string]int{"": 0, "12x": 12, "-3": -3, "4294967297": 1, "2147483648": math.MinInt32} {
		if got := atoi(in); got != want {
			t.Errorf("atoi(%q) = %d, want %d", in, got, want)
		}
	}
}
