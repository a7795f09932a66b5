package diff

import (
	"testing"

	"scache/compat"
	"scache/compat/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }

func ours(t testing.TB) string {
	t.Helper()
	testbed.NeedRoot(t)
	return testbed.Scached(t)
}

func reference(t testing.TB) string {
	t.Helper()
	testbed.NeedRoot(t)
	path, err := compat.ReferenceProgram()
	if err != nil {
		testbed.SkipLocally(t, err.Error())
	}
	return path
}
