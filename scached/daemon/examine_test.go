package daemon

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What a configuration says, where each value comes from, and all that is wrong
// with it.
func TestExamine(t *testing.T) {
	w := newWorld(t, "mail_owner = root\nmyhostname = a.b\ntest_clients = 20\ntest_kind = two\nfive = 5\nmax_idle = x\n")
	w.write(t, "conf/own.cf", "test_clients = 3${five}\ntest_nothing = 1\nconnection_cache_ttl_limit = 0\n")
	var settings testSettings
	got := Examine(filepath.Join(w.dir, "conf"), []string{"/lib/scached", "-o", "test_kind=three", "-v"}, settings.service())
	want := &Configuration{
		Values: []Value{
			{"compatibility_level", "0", FromDefault},
			{"syslog_facility", "mail", FromDefault},
			{"maillog_file", "/var/log/x", FromMainCF},
			{"maillog_file_prefixes", "/var, /dev/stdout", FromDefault},
			{"postlog_service_name", "postlog", FromDefault},
			{"smtputf8_enable", "no", FromDefault},
			{"myhostname", "a.b", FromMainCF},
			{"mail_name", "Postfix", FromDefault},
			{"syslog_name", "postfix", FromDefault},
			{"mail_owner", "root", FromMainCF},
			{"queue_directory", w.dir + "/queue", FromMainCF},
			{"max_use", "100", FromDefault},
			{"ipc_timeout", "3600s", FromDefault},
			{"daemon_timeout", "18000s", FromDefault},
			{"connection_cache_status_update_time", "600s", FromDefault},
			{"test_kind", "three", FromCommandLine},
			{"test_clients", "35", "own.cf"},
		},
		Wrong:    []Value{{Name: "max_idle", Source: FromMainCF}, {Name: "connection_cache_ttl_limit", Source: "own.cf"}},
		Warnings: []string{w.dir + "/conf/own.cf, line 2: unknown parameter: test_nothing"},
	}
	var errors []string
	for _, err := range got.Errors {
		errors = append(errors, err.Error())
	}
	got.Errors = nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	wantErrors := w.expandAll([]string{
		"parameter max_idle: bad time value or unit: x",
		"file DIR/conf/own.cf: invalid connection_cache_ttl_limit: 0 (min 1)",
		"file DIR/conf/main.cf: parameter mail_owner: user root has privileged user ID",
	})
	if diff := cmp.Diff(wantErrors, errors); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	if settings.clients != 35 || settings.kind != "three" {
		t.Errorf("settings %+v", settings)
	}
}

// A file that cannot be read is all that there is to say.
func TestExamineNothing(t *testing.T) {
	dir := t.TempDir()
	got := Examine(dir, []string{"scached"}, testService())
	if len(got.Values) != 0 || len(got.Errors) != 1 || got.Errors[0].Error() != "open "+dir+"/main.cf: No such file or directory" {
		t.Errorf("%+v", got)
	}
}
