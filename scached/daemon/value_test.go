package daemon

import (
	"testing"
	"time"
)

// evalConfig is a configuration of its own, whose warnings are collected.
func evalConfig(values map[string]string) (c *config, warnings *[]string) {
	warnings = new([]string)
	c = newConfig("DIR", func(text string) { *warnings = append(*warnings, text) })
	for name, value := range values {
		c.set(name, value, FromMainCF)
	}
	return c, warnings
}

var timeTests = []struct {
	value string
	want  time.Duration
	err   string
}{
	{"5", 5 * time.Second, ""},
	{"5s", 5 * time.Second, ""},
	{" 5m", 5 * time.Minute, ""},
	{"+5h", 5 * time.Hour, ""},
	{"5d", 5 * 24 * time.Hour, ""},
	{"5w", 35 * 24 * time.Hour, ""},
	{"5sx", 5 * time.Second, ""},
	{"${five}0s", 50 * time.Second, ""},
	{"2147483647", 2147483647 * time.Second, ""},
	{"2147483648", 0, "parameter x: bad time value or unit: 2147483648"},
	{"3549w", 3549 * 7 * 24 * time.Hour, ""},
	{"3550w", 0, "parameter x: bad time value or unit: 3550w"},
	{"24855d", 0, "parameter x: bad time value or unit: 24855d"},
	{"596523h", 0, "parameter x: bad time value or unit: 596523h"},
	{"35791393m", 35791393 * time.Minute, ""},
	{"5S", 0, "parameter x: bad time value or unit: 5S"},
	{"5 s", 0, "parameter x: bad time value or unit: 5 s"},
	{"5y", 0, "parameter x: bad time value or unit: 5y"},
	{"-5", 0, "parameter x: bad time value or unit: -5"},
	{"", 0, "parameter x: bad time value or unit: "},
	{"soon", 0, "invalid x: 0 (min 1)"},
	{"oon", 0, "parameter x: bad time value or unit: oon"},
	{"0", 0, "invalid x: 0 (min 1)"},
	{"0w", 0, "invalid x: 0 (min 1)"},
	{"${", 0, "dictionary mail_dict: macro processing error"},
}

func TestSeconds(t *testing.T) {
	for _, test := range timeTests {
		t.Run(test.value, func(t *testing.T) {
			c, _ := evalConfig(map[string]string{"x": test.value, "five": "5"})
			got, err := c.seconds("x", "9s", 1)
			if got != test.want || errorText(err) != test.err {
				t.Errorf("got %v, error %q; want %v, error %q", got, errorText(err), test.want, test.err)
			}
		})
	}
}

func TestInteger(t *testing.T) {
	tests := []struct {
		value string
		want  int
		err   string
	}{
		{"5", 5, ""},
		{" +5", 5, ""},
		{"4", 0, "invalid x parameter value 4 < 5"},
		{"-2147483648", 0, "invalid x parameter value -2147483648 < 5"},
		{"2147483647", 2147483647, ""},
		{"2147483648", 0, "bad numerical configuration: x = 2147483648"},
		{"99999999999999999999", 0, "bad numerical configuration: x = 99999999999999999999"},
		{"5 ", 0, "bad numerical configuration: x = 5 "},
		{"5k", 0, "bad numerical configuration: x = 5k"},
		{"", 0, "bad numerical configuration: x = "},
	}
	for _, test := range tests {
		t.Run(test.value, func(t *testing.T) {
			c, _ := evalConfig(map[string]string{"x": test.value})
			got, err := c.integer("x", "9", 5)
			if got != test.want || errorText(err) != test.err {
				t.Errorf("got %d, error %q; want %d, error %q", got, errorText(err), test.want, test.err)
			}
		})
	}
}

func TestBoolean(t *testing.T) {
	tests := []struct {
		value string
		want  bool
		err   string
	}{
		{"yes", true, ""}, {"YES", true, ""}, {"no", false, ""}, {"No", false, ""},
		{"", false, "bad boolean configuration: x = "},
		{"true", false, "bad boolean configuration: x = true"},
		{"${{1} == {1} ? {yes} : {no}}", true, ""},
	}
	for _, test := range tests {
		t.Run(test.value, func(t *testing.T) {
			c, _ := evalConfig(map[string]string{"x": test.value})
			got, err := c.boolean("x", "no")
			if got != test.want || errorText(err) != test.err {
				t.Errorf("got %t, error %q; want %t, error %q", got, errorText(err), test.want, test.err)
			}
		})
	}
}

// A default becomes the parameter's value, for other parameters to refer to.
func TestDefaultsAreSet(t *testing.T) {
	c, _ := evalConfig(map[string]string{"other": "o"})
	if _, err := c.str("name", "a${other}b", 0); err != nil {
		t.Fatal(err)
	}
	if _, err := c.seconds("time", "2s", 1); err != nil {
		t.Fatal(err)
	}
	got, err := c.eval("$name $time")
	if got != "aob 2s" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}
