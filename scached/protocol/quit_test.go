package protocol

import (
	"strings"
	"testing"

	"scache/scached/cache"
)

// ofSMTP is what smtp(8) of Postfix 3.7 saves with a session.
const ofSMTP = "tls_level=0\nreuse_count=1\nendpoint_features=143\nexpire_time=1780000000\n\n"

func TestFromSMTP(t *testing.T) {
	for _, test := range []struct {
		name, property string
		want           bool
	}{
		{"since 3.4", ofSMTP, true},
		{"without TLS", strings.TrimPrefix(ofSMTP, "tls_level=0\n"), true},
		{"with the details of TLS", ofSMTP + "peer_CN=\nprotocol=TLSv1.3\ncipher_usebits=256\n\n", true},
		{"2.3 to 3.3", "1\n143\n1780000000", true},
		{"2.2", "example.com\nmx.example.com\n192.0.2.1\n25\n15\n1\n0", true},
		{"nothing", "", false},
		{"anything", "property", false},
		{"no empty line", strings.TrimSuffix(ofSMTP, "\n"), false},
		{"no newline", strings.TrimSuffix(ofSMTP, "\n\n"), false},
		{"no expire_time", "tls_level=0\nreuse_count=1\nendpoint_features=143\n\n", false},
		{"not a number", strings.Replace(ofSMTP, "=1\n", "=one\n", 1), false},
		{"of a binding", "destination=a\nhost_name=b\nhost_addr=c\ndestination_features=0\n\n", false},
		{"two numbers", "1\n143", false},
		{"four numbers", "1\n2\n3\n4", false},
		{"2.2 with a name for a number", "example.com\nmx.example.com\n192.0.2.1\n25\n15\n1\nx", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := fromSMTP([]byte(test.property)); got != test.want {
				t.Errorf("fromSMTP(%q) is %v", test.property, got)
			}
			if n := testing.AllocsPerRun(10, func() { fromSMTP([]byte(test.property)) }); n != 0 && len(test.property) <= 32 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

// QUIT is for sessions that end on their own, and for nothing that was found.
func TestQuitByReason(t *testing.T) {
	for reason, want := range map[cache.Reason]bool{
		cache.Expired: true, cache.Limited: true, cache.Flushed: true, cache.Shutdown: true, cache.Dead: false, cache.Shortage: false,
	} {
		quit, closed := 0, 0
		s := &Service{Config: Config{Close: func(int) { closed++ }, Quit: func(int) { quit++ }}}
		s.end(cache.Closed{Session: 7, Property: []byte(ofSMTP), Reason: reason})
		s.end(cache.Closed{Session: 8, Property: []byte("another"), Reason: reason})
		if (quit == 1) != want || quit+closed != 2 {
			t.Errorf("%s: %d are sent QUIT and %d closed", closeNames[reason], quit, closed)
		}
	}
}

// A session that was found is never sent QUIT, not even if it does not arrive.
func TestNoQuitAfterHandover(t *testing.T) {
	p := newControlPeer(t)
	p.service.Quit = func(fd int) { t.Errorf("session %d is sent QUIT", fd) }
	p.save("endp smtp|a| " + strings.ReplaceAll(ofSMTP, "\n", "|") + " 7")
	p.conn.Input([]byte(list("request", "find_endp", "label", "smtp\na\n")), nil)
	if !p.conn.HandingOver() {
		t.Fatal("no session was found")
	}
	p.service.Cache.Expire(1 << 20)
	p.conn.Close()
	p.service.Forget()
	if n := p.service.Counters.HandoversFailed; n != 1 {
		t.Errorf("%d hand-overs have failed", n)
	}
}
