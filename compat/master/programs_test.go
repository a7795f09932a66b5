package master

import (
	"testing"

	"scache/compat/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }

// needMounts is for what logs to a syslog socket.
func needMounts(t *testing.T) {
	t.Helper()
	testbed.NeedRoot(t)
	if !MayMount() {
		testbed.SkipLocally(t, ErrNoMount.Error())
	}
}
