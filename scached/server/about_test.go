package server

import (
	"strings"
	"testing"

	"scache/compat/wire"
	"scache/scached/protocol"
)

// What an administrator is told about clients is what became of them.
func TestAbout(t *testing.T) {
	path, _ := startServer(t, func(c *Config) {
		c.Control, c.Version, c.MaxClients, c.StringLimit = true, "1.2.3", 3, 4096
		c.Suppressed = func() uint64 { return 7 }
	})
	connect := func() *wire.Client {
		c, err := wire.DialGreeted(path, patience)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return c
	}
	surplus := connect()
	pair, err := wire.Pair()
	if err != nil {
		t.Fatal(err)
	}
	defer pair.Close()
	if err := surplus.Send(wire.FindEndpoint("e"), pair.Local); err != nil {
		t.Fatal(err)
	}
	endless := connect()
	if err := endless.Send(strings.Repeat("x", 5000)); err != nil {
		t.Fatal(err)
	}
	if !surplus.Ended(patience) || !endless.Ended(patience) {
		t.Fatal("clients that did what they must not are still there")
	}
	connect()
	connect()
	connect()
	asking := connect() // one too many: the first of the three goes
	if err := asking.Send(wire.List("request", "scached_status")); err != nil {
		t.Fatal(err)
	}
	var answer []byte
	buffer := make([]byte, 1)
	for !strings.HasSuffix(string(answer), "\x00\x00") || strings.HasSuffix(string(answer), "\x00\x00\x00") {
		if err := asking.ReadFull(buffer); err != nil {
			t.Fatalf("after %q: %v", answer, err)
		}
		answer = append(answer, buffer...)
	}
	words := strings.Split(string(answer), "\x00")
	told := map[string]string{}
	for i := 0; i+1 < len(words); i += 2 {
		told[words[i]] = words[i+1]
	}
	for name, want := range map[string]string{
		"version": "1.2.3", "clients": "3", "clients_total": "6", "warnings_suppressed_total": "7",
		`clients_dropped_total{reason="surplus_descriptor"}`: "1", `clients_dropped_total{reason="malformed"}`: "1",
		`clients_dropped_total{reason="limit"}`: "1", `clients_dropped_total{reason="timeout"}`: "0",
		`limit{name="scached_client_limit"}`: "3", "dialect": protocol.Current.Version,
	} {
		if told[name] != want {
			t.Errorf("%s is %q, want %q", name, told[name], want)
		}
	}
}
