package service

import (
	"slices"
	"strings"
	"testing"
)

// What the services say is compared with a real Postfix in the package compat.
func TestTable(t *testing.T) {
	if !slices.IsSortedFunc(Table, func(a, b Service) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the table is not sorted")
	}
	for _, s := range Table {
		if got, ok := Find(s.Name); !ok || got != s {
			t.Errorf("%s: found %+v", s.Name, got)
		}
	}
	if _, ok := Find("pickup"); ok {
		t.Error("pickup greets")
	}
	for name, want := range map[string]string{"showq": "public/showq", "scache": "private/scache"} {
		if s, _ := Find(name); s.Path() != want {
			t.Errorf("%s is at %s", name, s.Path())
		}
	}
}
