package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"scache/scached/cache"
	"scache/scached/daemon"
	"scache/scached/protocol"
)

// examine looks at a configuration directory with these two files.
func examine(t *testing.T, mainCF, ownCF string, args ...string) (Settings, *daemon.Configuration) {
	t.Helper()
	dir := t.TempDir()
	// The account that runs the tests' commands may not exist everywhere.
	for name, text := range map[string]string{"main.cf": "mail_owner = daemon\nmyhostname = a.b\n" + mainCF, File: ownCF} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var s Settings
	found := daemon.Examine(dir, append([]string{"scached"}, args...), s.Service())
	return s, found
}

func TestDefaults(t *testing.T) {
	got, found := examine(t, "", "")
	want := Settings{
		TTLLimit: 2 * time.Second, StatisticsPeriod: 10 * time.Minute,
		Protocol: "3.6", LiveCheck: true, Control: true, StringLimit: 65536,
		Limits:      cache.Limits{Sessions: 20000, EndpointSessions: 10000, Bindings: 20000, DestinationBindings: 1000, DestinationMemory: 1 << 20, Memory: 64 << 20},
		ClientLimit: 10000, WarningLimit: 100,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(found.Errors) > 0 || len(found.Warnings) > 0 {
		t.Errorf("errors %q, warnings %q", found.Errors, found.Warnings)
	}
	if got.Dialect() != protocol.Current {
		t.Errorf("dialect %+v", got.Dialect())
	}
}

// The snapshot's parameters, and nobody else's.
func TestSnapshot(t *testing.T) {
	cf := "session_cache_ttl_limit = 7s\nconnection_cache_ttl_limit = 9s\n"
	got, _ := examine(t, cf, "scached_protocol_version = 20040720\n")
	if got.TTLLimit != 7*time.Second || got.StatisticsPeriod != 0 || got.Dialect().Version != snapshot {
		t.Errorf("the snapshot has %+v", got)
	}
	got, found := examine(t, cf, "", "-o", "scached_protocol_version=2.2")
	if got.TTLLimit != 9*time.Second || got.StatisticsPeriod == 0 {
		t.Errorf("another version has %+v", got)
	}
	for _, value := range found.Values {
		if value.Name == "session_cache_ttl_limit" {
			t.Error("another version has the snapshot's parameter")
		}
	}
}

func TestMistakes(t *testing.T) {
	tests := []struct{ assignment, want string }{
		{"scached_protocol_version=3.7", "parameter scached_protocol_version: unknown value: 3.7 (specify "},
		{"connection_cache_ttl_limit=0", "invalid connection_cache_ttl_limit: 0 (min 1)"},
		{"scached_live_check=1", "bad boolean configuration: scached_live_check = 1"},
		{"scached_string_limit=4095", "invalid scached_string_limit parameter value 4095 < 4096"},
		{"scached_client_limit=many", "bad numerical configuration: scached_client_limit = many"},
	}
	for _, test := range tests {
		t.Run(test.assignment, func(t *testing.T) {
			_, found := examine(t, "", "", "-o", test.assignment)
			if len(found.Errors) != 1 || !strings.HasPrefix(found.Errors[0].Error(), test.want) {
				t.Errorf("%q, want %q", found.Errors, test.want)
			}
			_, found = examine(t, "", strings.Replace(test.assignment, "=", " = ", 1)+"\n")
			if len(found.Errors) != 1 || !strings.Contains(found.Errors[0].Error(), "/"+File+": "+test.want) {
				t.Errorf("in a file: %q, want %q", found.Errors, test.want)
			}
		})
	}
}

// Manual pages are made of the declarations, so each has to say enough.
func TestDeclarations(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range append(daemon.GeneralParameters(), new(Settings).Parameters()...) {
		if seen[p.Name] {
			t.Errorf("%s is declared twice", p.Name)
		}
		seen[p.Name] = true
		if p.Help == "" || strings.HasSuffix(p.Help, ".") {
			t.Errorf("%s: the help has to be a phrase: %q", p.Name, p.Help)
		}
		if p.More != "" && !strings.HasSuffix(p.More, ".") {
			t.Errorf("%s: what else there is has to be sentences: %q", p.Name, p.More)
		}
		if (p.Kind() == "number") != (p.Unit != "") {
			t.Errorf("%s: a %s with unit %q", p.Name, p.Kind(), p.Unit)
		}
	}
}
