package postfix

import (
	"testing"

	"scache/compat/master"
	"scache/compat/testbed"
	"scache/compat/wire"
)

func TestMain(m *testing.M) { testbed.Main(m) }

// needMounts is for what logs to a syslog socket.
func needMounts(t *testing.T) {
	t.Helper()
	testbed.NeedRoot(t)
	if !master.MayMount() {
		testbed.SkipLocally(t, master.ErrNoMount.Error())
	}
}

// serves makes sure that a client is served.
func serves(t *testing.T, c *wire.Client) {
	t.Helper()
	if err := c.Ask(wire.FindEndpoint("x"), wire.Missed); err != nil {
		t.Fatal(err)
	}
}

func saves(t *testing.T, c *wire.Client) {
	t.Helper()
	if err := c.Ask(wire.SaveDestination("d", "2", "e"), wire.Done); err != nil {
		t.Fatal(err)
	}
}
