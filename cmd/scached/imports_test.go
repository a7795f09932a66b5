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

// TestArrows keeps imports running downwards.
func TestArrows(t *testing.T) {
	allowed := map[string][]string{
		"scache/attrproto":          {},
		"scache/attrproto/service":  {"scache/attrproto"},
		"scache/attrproto/attrtool": {"scache/attrproto", "scache/attrproto/service"},
		"scache/scached/cache":      {},
		"scache/scached/protocol":   {"scache/attrproto", "scache/scached/cache"},
		"scache/scached/server":     {"scache/attrproto", "scache/scached/protocol"},
		"scache/scached/daemon":     {"scache/attrproto"},
		"scache/scached/settings":   {"scache/scached/daemon", "scache/scached/protocol"},
		"scache/scached/client":     {"scache/attrproto", "scache/scached/protocol"},
		"scache/scached/script": {"scache/attrproto", "scache/scached/cache", "scache/scached/client",
			"scache/scached/protocol", "scache/scached/script/session"},
		"scache/scached/script/session": {"scache/attrproto"},
		"scache/cmd/scached":            {"scache/scached/daemon", "scache/scached/server", "scache/scached/settings"},
	}
	for name, list := range imports(t, "scache/...") {
		rule, ruled := allowed[name]
		for _, imported := range list {
			if !strings.HasPrefix(imported, "scache/") {
				continue
			}
			if strings.HasPrefix(imported, "scache/cmd/") {
				t.Errorf("%s imports a command, %s", name, imported)
			}
			if ruled && !slices.Contains(rule, imported) {
				t.Errorf("%s may not import %s", name, imported)
			}
		}
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
