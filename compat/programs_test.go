package compat

import (
	"testing"

	"scache/compat/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }

func ours(t *testing.T) string {
	t.Helper()
	return testbed.Scached(t)
}

func reference(t *testing.T) string { t.Helper(); return testbed.Reference(t, ReferenceProgram) }

// needMounts is for what logs to a syslog socket.
func needMounts(t *testing.T) {
	t.Helper()
	testbed.NeedRoot(t)
	if !mayMount() {
		testbed.SkipLocally(t, errNoMount.Error())
	}
}

// eachProgram runs a test with the reference and with ours.
func eachProgram(t *testing.T, test func(t *testing.T, program string)) {
	t.Run("reference", func(t *testing.T) { test(t, reference(t)) })
	t.Run("ours", func(t *testing.T) {
		testbed.NeedRoot(t)
		test(t, ours(t))
	})
}
