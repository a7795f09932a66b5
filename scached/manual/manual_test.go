package manual

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"scache/scached/daemon"
	"scache/scached/settings"
	"scache/scached/tap"
)

// With all comments of the sample taken away, it says what is the case without it.
func TestSample(t *testing.T) {
	var sample bytes.Buffer
	if err := Sample(&sample); err != nil {
		t.Fatal(err)
	}
	values := regexp.MustCompile(`(?m)^#([a-z_]+ = .*)$`).ReplaceAllString(sample.String(), "$1")
	examine := func(own string) (settings.Settings, *daemon.Configuration) {
		dir := t.TempDir()
		for name, text := range map[string]string{"main.cf": "mail_owner = daemon\nmyhostname = a.b\n", settings.File: own} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		var s settings.Settings
		found := daemon.Examine(dir, []string{"scached"}, s.Service())
		return s, found
	}
	want, _ := examine("")
	got, found := examine(values)
	if len(found.Errors) > 0 || len(found.Warnings) > 0 {
		t.Errorf("errors %q, warnings %q", found.Errors, found.Warnings)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-without +with the sample):\n%s", diff)
	}
	for _, p := range own() {
		if !strings.Contains(values, "\n"+p.Name+" = "+p.Default+"\n") {
			t.Errorf("%s is missing", p.Name)
		}
	}
	for line := range strings.Lines(sample.String()) {
		if strings.HasPrefix(line, "# ") && len(line) > width+1 {
			t.Errorf("too long: %s", line)
		}
	}
}

// Every parameter is in the page of the daemon, the one of the file and the table.
func TestComplete(t *testing.T) {
	var eighth, fifth, table bytes.Buffer
	for _, err := range []error{Daemon(&eighth, time.Now()), Config(&fifth, time.Now()), Table(&table)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range own() {
		for name, text := range map[string]string{"scached(8)": eighth.String(), "scached.cf(5)": fifth.String(), "table": table.String()} {
			if !strings.Contains(text, p.Name) || p.Default != "" && !strings.Contains(text, p.Default) {
				t.Errorf("%s: no %s, or no default", name, p.Name)
			}
		}
	}
	for _, p := range daemon.GeneralParameters() {
		if !strings.Contains(eighth.String(), "\n.It Va "+p.Name+" ") {
			t.Errorf("scached(8): no %s", p.Name)
		}
	}
}

// Every parameter of the tap is in its page.
func TestTapComplete(t *testing.T) {
	var page bytes.Buffer
	if err := Tap(&page, time.Now()); err != nil {
		t.Fatal(err)
	}
	for _, p := range append(new(tap.Settings).Parameters(), daemon.GeneralParameters()...) {
		if !strings.Contains(page.String(), "\n.It Va "+p.Name+" ") {
			t.Errorf("scachetap(8): no %s", p.Name)
		}
	}
}

func TestText(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"sentences", "One. Two is\nlonger. And e.g. this is one.", "One.\nTwo is longer.\nAnd e.g. this is one.\n"},
		{"references", "See scache(8), and smtp(8). Not f(x).", "See\n.Xr scache 8 ,\nand\n.Xr smtp 8 .\nNot f(x).\n"},
		{"paragraphs", "One.\n\nTwo.", "One.\n.Pp\nTwo.\n"},
		{"indented", "One.\n\n  a = b\n  c", "One.\n.Bd -literal -offset indent\n  a = b\n  c\n.Ed\n"},
		{"escapes", ".so a\\b\n\n'x", "\\&.so a\\eb\n.Pp\n\\&'x\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			p := &page{w: &out}
			p.text(test.text)
			if diff := cmp.Diff(test.want, out.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
