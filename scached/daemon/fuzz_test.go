package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzConfig reads a main.cf and expands a value with it. Neither may panic,
// and what is read is what reading it again gives.
func FuzzConfig(f *testing.F) {
	for _, test := range evalTests {
		f.Add("a = 1\n b\n#c\nd=$a\n", test.value)
	}
	f.Add(" a = 1\n\n b\nc=\x00\n= 2", "$")
	f.Fuzz(func(t *testing.T, text, value string) {
		lines := lineReader{name: "main.cf", text: []byte(text), warn: func(string) {}}
		for {
			line, number, ok := lines.next()
			if !ok {
				break
			}
			if number < 1 || number > len(text)+1 {
				t.Errorf("line number %d", number)
			}
			name, assigned, err := splitNameValue(line)
			if err != nil {
				continue
			}
			name2, assigned2, err := splitNameValue(" " + name + "\t=\n" + assigned + " ")
			if err != nil || name2 != name || assigned2 != assigned {
				t.Errorf("%q = %q became %q = %q, %v", name, assigned, name2, assigned2, err)
			}
		}
		c, warnings := evalConfig(evalValues)
		if _, err := c.eval(value); err == errMacro && len(*warnings) == 0 {
			t.Error("an error without a warning")
		}
	})
}

// FuzzExamine reads a configuration directory with any text in its files and any
// arguments of master.cf. Either there is a value for each parameter, or an error
// says why there is not.
func FuzzExamine(f *testing.F) {
	f.Add("max_idle = 1h\n", "test_clients = 12\ntest_kind = two\n", "-v\n-o\ntest_check=no")
	f.Add("a = $b\nb = $a\nmyhostname = $a\n", "test_kind = ${x?{y}:{z}}\n", "-o\ntest_clients=-1\n-s0")
	f.Add("daemon_timeout = 9999999999w\n", " x\n", "-oconnection_cache_ttl_limit=1\x00\n--")
	f.Fuzz(func(t *testing.T, mainCF, ownCF, args string) {
		dir := t.TempDir()
		for name, text := range map[string]string{"main.cf": mainCF, "own.cf": ownCF} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var settings testSettings
		service := settings.service()
		found := Examine(dir, append([]string{"scached"}, strings.Split(args, "\n")...), service)
		wanted := len(GeneralParameters()) + len(service.Parameters)
		if settings.kind == "three" {
			wanted-- // test_check is none then
		}
		if len(found.Errors) == 0 && len(found.Values) != wanted {
			t.Errorf("%d values of %d, and no error: %+v", len(found.Values), wanted, found)
		}
		if len(found.Errors) == 0 && (settings.ttl < 1 || settings.clients < 10) {
			t.Errorf("no error, but %+v", settings)
		}
	})
}
