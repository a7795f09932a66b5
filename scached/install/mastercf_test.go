package install

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFindService(t *testing.T) {
	const before, after = "smtp inet n - y - - smtpd\n", "\nanvil unix - - y - 1 anvil\n"
	for _, test := range []struct {
		name  string
		entry string // @ stands for the command
		args  []string
		fails string
	}{
		{"plain", "scache unix - - y - 1 @", nil, ""},
		{"arguments", "scache unix - - y - 1 @ -v -o max_idle=3s", []string{"-v", "-o", "max_idle=3s"}, ""},
		{"braces", "scache\tunix - - y - 1 @ -o { max_idle = 3s } {a{b c}d}", []string{"-o", "max_idle = 3s", "a{b c}d"}, ""},
		{"continued", "scache unix - -\n  y - 1\n# scache in a comment\n\n\t# another\n   @\n -v\n", []string{"-v"}, ""},
		{"a word that contains it", "scache unix - - y - 1 @x -o a=@", []string{"-o", "a=@"}, ""},
		{"too short", "scache unix - - y", nil, "too few fields"},
		{"commented out", "#scache unix - - y - 1 @", nil, "but 0"},
		{"another type", "scache inet - - y - 1 @", nil, "but 0"},
		{"twice", "scache unix - - y - 1 @\nscache unix - - y - 1 @", nil, "but 2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := func(command string) string {
				return before + strings.ReplaceAll(test.entry, "@", command) + after
			}
			e, err := findService([]byte(file("scache")), "scache", "unix")
			if test.fails != "" {
				if err == nil || !strings.Contains(err.Error(), test.fails) {
					t.Fatalf("error %v, want %q", err, test.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := strings.ReplaceAll(strings.Join(test.args, "\n"), "@", "scache")
			if got := strings.Join(e.args(), "\n"); got != want {
				t.Errorf("arguments %q, want %q", got, want)
			}
			wanted := before + strings.Replace(test.entry, "@", "other", 1) + after
			if strings.HasPrefix(e.command(), "scachex") {
				wanted = before + strings.Replace(test.entry, "@x", "other", 1) + after
			}
			wanted = strings.ReplaceAll(wanted, "@", "scache")
			if diff := cmp.Diff(wanted, string(e.withCommand([]byte(file("scache")), "other"))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestOwnFile(t *testing.T) {
	set := func(text string) string { return string(setLine([]byte(text), dialectParameter, "2.3", "for tests")) }
	const line = marker + ", for tests.\n" + dialectParameter + " = 2.3\n"
	for _, test := range []struct{ name, before, set, dropped string }{
		{"nothing", "", line, ""},
		{"other lines", "a = b\n", "a = b\n" + line, "a = b\n"},
		{"no line end", "a = b", "a = b\n" + line, "a = b\n"},
		{"set before", line + "a = b\n", "a = b\n" + line, "a = b\n"},
		{"set by hand, twice", dialectParameter + "=2.2\na = b\n" + dialectParameter + " =\n  3.6\n", "a = b\n" + line, "a = b\n"},
		{"a comment that is not ours", "# mine\n" + dialectParameter + "=2.2\n", "# mine\n" + line, "# mine\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := set(test.before)
			if diff := cmp.Diff(test.set, got); diff != "" {
				t.Errorf("set (-want +got):\n%s", diff)
			}
			if !hasMarked([]byte(got), dialectParameter) || hasMarked([]byte(test.dropped), dialectParameter) {
				t.Error("it cannot be told that it was set")
			}
			if diff := cmp.Diff(test.dropped, string(dropLines([]byte(got), dialectParameter))); diff != "" {
				t.Errorf("dropped (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDialectOf(t *testing.T) {
	for _, test := range []struct{ version, want string }{
		{"2.2-20040720", "20040720"},
		{"2.2.0", "2.2"}, {"2.2.4", "2.2"},
		{"2.2.5", "2.3"}, {"2.2.12", "2.3"}, {"2.3.0", "2.3"}, {"2.3.19", "2.3"}, {"2.11.11", "2.3"}, {"3.0.0", "2.3"}, {"3.5.27", "2.3"},
		{"3.6.0", "3.6"}, {"3.7.11", "3.6"}, {"3.10.2", "3.6"}, {"3.12-20260821", "3.6"}, {"4.0.0", "3.6"},
		{"2.1.5", ""}, {"2.2-20040829", ""}, {"1.1.11", ""}, {"", ""}, {"postfix", ""},
	} {
		got, err := DialectOf(test.version)
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%s: %q, %v, want %q", test.version, got, err, test.want)
		}
	}
}

func TestAppArmorProfiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"theirs": "profile postfix-scache /usr/lib/postfix/{bin/,sbin/,}scache {\n}\n",
		"both":   "/usr/lib/postfix/sbin/scache {\n}\n/usr/lib/postfix/sbin/scached {\n}\n",
		"other":  "/usr/lib/postfix/sbin/smtp {\n}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{filepath.Join(dir, "theirs")}, appArmorProfiles(dir)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := appArmorProfiles("/nowhere"); got != nil {
		t.Errorf("without AppArmor: %q", got)
	}
}
