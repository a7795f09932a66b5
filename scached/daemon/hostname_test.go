package daemon

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHostname(t *testing.T) {
	bad := func(parameter, value string) string {
		return "file DIR/main.cf: parameter " + parameter + ": bad parameter value: " + value
	}
	tests := []struct {
		name     string
		system   string
		values   map[string]string
		want     string
		domain   string
		warnings []string
		err      string
	}{
		{name: "short", system: "host", want: "host.localdomain", domain: "localdomain"},
		{name: "full", system: "host.example.com", want: "host.example.com", domain: "example.com"},
		{name: "short with a domain", system: "host", values: map[string]string{"mydomain": "d${one}"}, want: "host.d1", domain: "d1"},
		{name: "set", system: "!", values: map[string]string{"myhostname": "a.$mydomain", "mydomain": "b.c"}, want: "a.b.c", domain: "b.c"},
		{name: "set, short", system: "!", values: map[string]string{"myhostname": "a"}, want: "a", domain: "localdomain"},
		{
			name: "the system's is bad", system: "a b",
			warnings: []string{"valid_hostname: invalid character 32(decimal): a b"},
			err:      "unable to use my own hostname",
		},
		{name: "empty", values: map[string]string{"myhostname": ""}, err: "bad string length 0 < 1: myhostname = "},
		{
			name: "domain missing", values: map[string]string{"myhostname": "a."},
			err: "bad string length 0 < 1: mydomain = ",
		},
		{
			name: "trailing dot", values: map[string]string{"myhostname": "a.$nothing", "mydomain": "x"},
			warnings: []string{"valid_hostname: misplaced delimiter: a."}, err: bad("myhostname", "a."),
		},
		{
			name: "two dots", values: map[string]string{"myhostname": "a..b"},
			warnings: []string{"valid_hostname: misplaced delimiter: a..b"}, err: bad("myhostname", "a..b"),
		},
		{
			name: "hyphen first", values: map[string]string{"myhostname": "a.-b"},
			warnings: []string{"valid_hostname: misplaced hyphen: a.-b"}, err: bad("myhostname", "a.-b"),
		},
		{
			name: "hyphen last", values: map[string]string{"myhostname": "a-.b"},
			warnings: []string{"valid_hostname: misplaced hyphen: a-.b"}, err: bad("myhostname", "a-.b"),
		},
		{
			name: "numbers", values: map[string]string{"myhostname": "127.0.0.1", "mydomain": "x"},
			warnings: []string{"valid_hostname: numeric hostname: 127.0.0.1"}, err: bad("myhostname", "127.0.0.1"),
		},
		{
			name: "long label", values: map[string]string{"myhostname": strings.Repeat("x", 64)},
			warnings: []string{"valid_hostname: hostname label too long: " + strings.Repeat("x", 64)},
			err:      bad("myhostname", strings.Repeat("x", 64)),
		},
		{
			name: "long name", values: map[string]string{"myhostname": strings.Repeat("abc.", 64) + "d", "mydomain": "x"},
			warnings: []string{"valid_hostname: bad length 257 for " + strings.Repeat("abc.", 25) + "..."},
			err:      bad("myhostname", strings.Repeat("abc.", 64)+"d"),
		},
		{
			name: "bad domain", values: map[string]string{"myhostname": "a.b", "mydomain": "x\xff"},
			warnings: []string{"valid_hostname: invalid character 255(decimal): x\xff"}, err: bad("mydomain", "x\xff"),
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			values := map[string]string{"one": "1"}
			for name, value := range test.values {
				values[name] = value
			}
			c, warnings := evalConfig(values)
			got, err := c.hostname(func() (string, error) { return test.system, nil })
			if errorText(err) != test.err || test.err == "" && got != test.want {
				t.Errorf("got %q, error %q; want %q, error %q", got, errorText(err), test.want, test.err)
			}
			if diff := cmp.Diff(test.warnings, *warnings, cmpEmpty); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
			if domain, _, _ := c.lookup("mydomain"); test.domain != "" && domain != test.domain {
				t.Errorf("mydomain is %q, want %q", domain, test.domain)
			}
		})
	}
}

func TestHostnameOfTheSystemFails(t *testing.T) {
	c, _ := evalConfig(nil)
	_, err := c.hostname(func() (string, error) { return "", syscall.ENOSYS })
	if !errors.Is(err, syscall.ENOSYS) || err.Error() != "gethostname: Function not implemented" {
		t.Errorf("error %v", err)
	}
}

// cmpEmpty takes a nil slice for an empty one.
var cmpEmpty = cmp.FilterValues(func(x, y []string) bool { return len(x)+len(y) == 0 }, cmp.Ignore())
