package torture

import (
	"testing"

	"scache/compat/testbed"
)

func TestMain(m *testing.M) {
	RunHanging()
	testbed.Main(m)
}

func ours(t testing.TB) string { t.Helper(); return testbed.Ours(t) }

func reference(t testing.TB) string { t.Helper(); return testbed.Reference(t) }
