package diff

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scache/compat/script"
)

func found(line, session int) lookup {
	return lookup{line, script.Result{Found: true, EndpProperty: "p", Session: session}}
}

func TestDifferences(t *testing.T) {
	saved := found(3, 12)
	saved.result.Save, saved.result.Line = 1, 2
	many := make([]lookup, 100)
	for _, test := range []struct {
		name      string
		one, two  scriptRun
		different []string
	}{
		{"the same", scriptRun{lookups: []lookup{found(3, 12)}}, scriptRun{lookups: []lookup{found(3, 12)}}, nil},
		{"one knows the save", scriptRun{lookups: []lookup{found(3, 12)}}, scriptRun{lookups: []lookup{saved}}, nil},
		{"another session", scriptRun{lookups: []lookup{found(3, 12)}}, scriptRun{lookups: []lookup{found(3, 13)}},
			[]string{"one: line 3: found: endp_prop=p fd=12; two: line 3: found: endp_prop=p fd=13"}},
		{"not found", scriptRun{lookups: []lookup{found(3, 12)}}, scriptRun{lookups: []lookup{{line: 3}}},
			[]string{"one: line 3: found: endp_prop=p fd=12; two: line 3: not found"}},
		{"too few", scriptRun{lookups: []lookup{found(3, 12), found(4, 12)}}, scriptRun{lookups: []lookup{found(3, 12)}},
			[]string{"one: 2 lookups; two: 1"}},
		{"one fails", scriptRun{failure: "unknown: error: x"}, scriptRun{},
			[]string{`one: ends with "unknown: error: x"; two: with ""`}},
		{"many", scriptRun{lookups: many}, scriptRun{lookups: append([]lookup{found(1, 12)}, many...)[:100]}, []string{
			"one: line 0: not found; two: line 1: found: endp_prop=p fd=12"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.one.side.Name, test.two.side.Name = "one", "two"
			if diff := cmp.Diff(test.different, test.one.compare(&test.two)); diff != "" {
				t.Errorf("differences (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFewDifferencesAreTold(t *testing.T) {
	one, two := scriptRun{}, scriptRun{}
	for i := range 100 {
		one.lookups = append(one.lookups, found(i, 12))
		two.lookups = append(two.lookups, found(i, 13))
	}
	if told := one.compare(&two); len(told) != maxDifferences {
		t.Errorf("%d differences are told", len(told))
	}
}

func TestCompareScriptInProcess(t *testing.T) {
	sides := []Side{{Name: "one"}, {Name: "two"}}
	lookups, differences, err := CompareScript("cache_type multi\nfind_endp a\nsave_endp 1 a p 12\nfind_endp a\nsleep 1\n", sides)
	if lookups != 2 || len(differences) != 0 || err != nil {
		t.Errorf("%d lookups, differences %v, %v", lookups, differences, err)
	}
}

// Without a server, a script that uses it fails; that is a difference.
func TestCompareWithoutServer(t *testing.T) {
	_, differences, err := CompareScript("cache_type multi\nfind_endp a\n", []Side{{Name: "one"}, {Name: "none", Server: "/nonexistent/socket"}})
	if len(differences) != 2 || err != nil {
		t.Errorf("differences %q, %v", differences, err)
	}
}

// A random script is the same for the same seed, and worth running.
func TestRandomScript(t *testing.T) {
	r := RandomScript{Seed: 1, Commands: 1000, Seconds: 8, Labels: 50}
	text := r.Script()
	if text != r.Script() {
		t.Error("the same seed makes another script")
	}
	if other := (RandomScript{Seed: 2, Commands: 1000, Seconds: 8, Labels: 50}).Script(); text == other {
		t.Error("another seed makes the same script")
	}
	hits, misses, slept := 0, 0, 0
	err := script.Run(strings.NewReader(text), script.Options{Out: new(bytes.Buffer), Found: func(_ int, r script.Result) {
		if r.Found {
			hits++
		} else {
			misses++
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(text) {
		var seconds int
		if n, found := strings.CutPrefix(strings.TrimSpace(line), "sleep "); found {
			seconds = int(n[0] - '0')
		}
		slept += seconds
	}
	if hits < 100 || misses < 100 || slept < r.Seconds || slept > r.Seconds+1 {
		t.Errorf("%d hits, %d misses, %d seconds", hits, misses, slept)
	}
}

func TestCompareFiles(t *testing.T) {
	dir := t.TempDir()
	var files []string
	for name, text := range map[string]string{
		"a": "cache_type multi\nfind_endp a\n",
		"b": "cache_type single\n",
		"c": "cache_type multi\nsleep 20\nsleep 20\n",
	} {
		file := filepath.Join(dir, name+".in")
		files = append(files, file)
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := CompareScripts(files, []Side{{Name: "one"}, {Name: "two"}}, &out); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"1 lookups, the same", "never of the type single", "it sleeps 40 seconds"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("not told: %s\n%s", want, out.String())
		}
	}
	out.Reset()
	err := CompareScripts(append(files, dir+"/none.in"), []Side{{Name: "one"}, {Name: "none", Server: "/nonexistent/socket"}}, &out)
	if !errors.Is(err, ErrDifferent) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("ended with %v", err)
	}
	if !strings.Contains(out.String(), "DIFFERENT") {
		t.Errorf("the difference is not told:\n%s", out.String())
	}
}
