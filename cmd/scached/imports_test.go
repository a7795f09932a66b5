package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// imports lists the packages that a pattern stands for, and what each imports,
// tests aside.
func imports(t *testing.T, arguments ...string) map[string][]string {
	t.Helper()
	format := `{{.ImportPath}} {{join .Imports " "}}`
	out, err := exec.Command("go", append([]string{"list", "-f", format}, arguments...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	list := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		list[fields[0]] = fields[1:]
	}
	return list
}

// arrows says what each package imports of the others, tests aside: exactly
// that, and never something that stands below it in this table. The product,
// attrproto and scached, knows nothing of the proving ground, compat.
var arrows = []struct{ name, imports string }{
	{"attrproto", ""},
	{"attrproto/service", "attrproto"},
	{"attrproto/attrtool", "attrproto attrproto/service"},

	{"scached/strerror", ""},
	{"scached/cache", ""},
	{"scached/protocol", "attrproto scached/cache scached/strerror"},
	{"scached/server", "attrproto scached/cache scached/protocol scached/strerror"},
	{"scached/daemon", "attrproto scached/strerror"},
	{"scached/client", "attrproto scached/protocol"},
	{"scached/settings", "scached/cache scached/daemon scached/protocol"},
	{"scached/tap", "scached/daemon"},
	{"scached/install", "scached/daemon scached/protocol scached/settings scached/tap"},
	{"scached/control", "attrproto scached/protocol"},
	{"scached/operator", "scached/control"},
	{"scached/top", "scached/control scached/operator"},
	{"scached/exporter", "scached/control"},
	{"scached/doctor", "scached/control scached/daemon scached/install"},
	{"scached/version", ""},
	{"scached/manual", "scached/daemon scached/settings scached/tap"},
	{"cmd/scachetap", "scached/daemon scached/tap scached/version"},
	{"cmd/scached", "scached/daemon scached/server scached/settings scached/version"},

	{"testdata", ""},
	{"compat", ""},
	{"compat/master", ""},
	{"compat/conformance", ""},
	{"compat/testbed", "compat/conformance scached/install scached/version"},
	{"compat/postfix", "compat/master scached/install"},
	{"compat/mail", "compat/master compat/postfix scached/client scached/install scached/protocol"},
	{"compat/wire", ""},
	{"compat/fuzz", ""},
	{"compat/script", "attrproto compat/wire scached/cache scached/client scached/protocol"},
	{"compat/diff", "compat/master compat/script compat/wire scached/install scached/protocol testdata"},
	{"compat/bench", "attrproto compat/diff compat/mail compat/master compat/postfix compat/wire scached/install scached/protocol"},
	{"compat/torture", "compat/mail compat/master compat/postfix compat/wire scached/install scached/protocol"},
	{"compat/simulate", "scached/cache scached/protocol scached/server"},
	{"cmd/scachectl", "attrproto attrproto/attrtool attrproto/service compat/bench compat/conformance compat/diff compat/fuzz compat/mail" +
		" compat/script compat/simulate compat/torture scached/control scached/doctor scached/exporter scached/install scached/manual scached/operator scached/top scached/version"},
	{"scripts", ""},
}

// TestArrows keeps imports running downwards.
func TestArrows(t *testing.T) {
	const module = "scache/"
	list := imports(t, module+"...", module+"testdata")
	above := map[string]bool{}
	for _, row := range arrows {
		found, known := list[module+row.name]
		if !known {
			t.Errorf("there is no package %s", row.name)
		}
		delete(list, module+row.name)
		var ours []string
		for _, imported := range found {
			if name, ok := strings.CutPrefix(imported, module); ok {
				ours = append(ours, name)
			}
		}
		slices.Sort(ours)
		if got := strings.Join(ours, " "); got != row.imports {
			t.Errorf("%s imports %q, not %q", row.name, got, row.imports)
		}
		for _, name := range ours {
			if !above[name] {
				t.Errorf("%s imports %s, which does not stand above it", row.name, name)
			}
			if strings.HasPrefix(name, "compat") && !strings.HasPrefix(row.name, "compat") && row.name != "cmd/scachectl" {
				t.Errorf("%s imports %s, but is none of the proving ground", row.name, name)
			}
		}
		above[row.name] = true
	}
	for name := range list {
		t.Errorf("%s is not in the table", name)
	}
}

// TestDaemonIsSmall keeps the daemon, which is part of a mail system's trusted
// base, free of everything but the standard library and golang.org/x/sys, and of
// packages that cost every such system memory.
func TestDaemonIsSmall(t *testing.T) {
	heavy := []string{"net", "net/http", "crypto/tls", "encoding/json", "encoding/gob", "text/template",
		"html/template", "regexp", "flag", "testing", "go/ast", "math/big"}
	list := imports(t, "-deps", "scache/cmd/scached")
	for name := range list {
		first, _, _ := strings.Cut(name, "/")
		switch {
		case slices.Contains(heavy, name):
			t.Errorf("the daemon links %s", name)
		case strings.Contains(first, ".") && !strings.HasPrefix(name, "golang.org/x/sys/"):
			t.Errorf("the daemon links %s", name)
		}
	}
	if len(list) < 20 {
		t.Errorf("go list shows only %d packages", len(list))
	}
}
