package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLoad(t *testing.T) {
	tests := []struct {
		name     string
		file     string
		want     map[string]string
		warnings []string // DIR stands for the directory
		err      string
	}{
		{name: "empty", file: "", want: map[string]string{}},
		{
			name: "plain",
			file: "a = 1\nb=2\n  \n\n# c = 3\nd =\n\te\t=\t5 = 6 \t\n",
			want: map[string]string{"a": "1", "b": "2", "d": "e\t=\t5 = 6"},
		},
		{
			name: "continuation over comments and empty lines",
			file: "a = 1\n  2\n# no\n\n\t3\n#x\nb = 4",
			want: map[string]string{"a": "1  2\t3", "b": "4"},
		},
		{
			name: "comment with white space before it",
			file: "a = 1\n  # 2\n  3\n",
			want: map[string]string{"a": "1  3"},
		},
		{
			name: "names may hold anything but white space and equals signs",
			file: "a#b$c = 1\n",
			want: map[string]string{"a#b$c": "1"},
		},
		{
			name:     "the last one wins",
			file:     "a = 1\na = 1\na = 2\na =\na = 2\n",
			want:     map[string]string{"a": "2"},
			warnings: []string{"DIR/main.cf, line 3: overriding earlier entry: a=1", "DIR/main.cf, line 4: overriding earlier entry: a=2", "DIR/main.cf, line 5: overriding earlier entry: a="},
		},
		{
			name: "white space at the start",
			file: "\n  a = 1\n b\n  0123456789012345678901234567890123456789 = x\nc = 3\n",
			want: map[string]string{"c": "3"},
			warnings: []string{
				`DIR/main.cf: logical line must not start with whitespace: "  a = 1 b  0123456789012345678..."`,
			},
		},
		{
			name: "equals sign missing",
			file: "# 1\na = 1\nb\n c\n",
			want: map[string]string{"a": "1"},
			err:  `DIR/main.cf, line 3: missing '=' after attribute name: "b c"`,
		},
		{
			name: "name missing",
			file: "\n= 1\n",
			want: map[string]string{},
			err:  `DIR/main.cf, line 2: missing attribute name: "= 1"`,
		},
		{
			name: "a NUL ends a line for C",
			file: "a = 1\x002\nb = 3\n",
			want: map[string]string{"a": "1", "b": "3"},
		},
		{
			name: "carriage returns are white space",
			file: "a = 1\r\nb = 2\r\n\r\n",
			want: map[string]string{"a": "1", "b": "2"},
		},
		{
			name: "long",
			file: "a = " + strings.Repeat("x", 200000) + "\nb = 1",
			want: map[string]string{"a": strings.Repeat("x", 200000), "b": "1"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "main.cf"), []byte(test.file), 0o600); err != nil {
				t.Fatal(err)
			}
			var warnings []string
			c := newConfig(dir, func(text string) {
				warnings = append(warnings, strings.ReplaceAll(text, dir, "DIR"))
			})
			err := c.load()
			if got := strings.ReplaceAll(errorText(err), dir, "DIR"); got != test.err {
				t.Errorf("error %q, want %q", got, test.err)
			}
			if diff := cmp.Diff(test.want, c.values); diff != "" {
				t.Errorf("values (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.warnings, warnings); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoadFails(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "directory", "main.cf"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"missing":   "open " + dir + "/missing/main.cf: No such file or directory",
		"directory": "read " + dir + "/directory/main.cf: Is a directory",
	} {
		err := newConfig(dir+"/"+name, func(text string) { t.Error(text) }).load()
		if errorText(err) != want {
			t.Errorf("%s: error %q, want %q", name, errorText(err), want)
		}
	}
}

// Reading main.cf must not leave anything open.
func TestReadFileClosesIt(t *testing.T) {
	before := openDescriptors(t)
	for range 3 {
		if _, err := readFile("/proc/self/stat"); err != nil {
			t.Fatal(err)
		}
		if _, err := readFile("/"); err == nil {
			t.Fatal("read a directory")
		}
	}
	if after := openDescriptors(t); after != before {
		t.Errorf("%d descriptors open, %d before", after, before)
	}
}

func openDescriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
