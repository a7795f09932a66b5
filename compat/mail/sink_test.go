package mail

import (
	"crypto/tls"
	"net"
	"net/netip"
	"net/smtp"
	"net/textproto"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var samePeer = cmpopts.EquateComparable(netip.AddrPort{})

func startSink(t *testing.T, o SinkOptions) *Sink {
	t.Helper()
	sink, err := StartSink(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sink.Close)
	return sink
}

func TestSinkBooks(t *testing.T) {
	for _, secure := range []bool{false, true} {
		sink := startSink(t, SinkOptions{Host: "127.0.0.2", TLS: secure})
		local := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}
		conn, err := (&net.Dialer{LocalAddr: local}).Dial("tcp4", sink.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		client, err := smtp.NewClient(conn, "sink")
		if err != nil {
			t.Fatal(err)
		}
		if offered, _ := client.Extension("STARTTLS"); offered != secure {
			t.Errorf("STARTTLS offered: %t, want %t", offered, secure)
		}
		if secure {
			// The certificate is nobody's business here.
			if err := client.StartTLS(&tls.Config{InsecureSkipVerify: true}); err != nil {
				t.Fatal(err)
			}
			if offered, _ := client.Extension("STARTTLS"); offered {
				t.Error("STARTTLS offered again")
			}
		}
		for i, to := range []string{"a@first.example", "b@second.example"} {
			if err := submit(client, injectSender, to, i); err != nil {
				t.Fatal(err)
			}
		}
		if err := client.Quit(); err != nil {
			t.Fatal(err)
		}
		if err := sink.Wait(2, 10*time.Second); err != nil {
			t.Fatal(err)
		}
		sessions := sink.Sessions()
		want := []SinkSession{{TLS: secure, Quit: true, Messages: []SinkMessage{
			{Subject: "message 0", MessageID: "<0@origin.example>", Sender: injectSender, Recipients: []string{"a@first.example"}},
			{Subject: "message 1", MessageID: "<1@origin.example>", Sender: injectSender, Recipients: []string{"b@second.example"}},
		}}}
		peer := sessions[0].Peer
		sessions[0].Peer = want[0].Peer
		if diff := cmp.Diff(want, sessions, samePeer); diff != "" {
			t.Errorf("books (-want +got):\n%s", diff)
		}
		if peer.Addr().String() != "127.0.0.9" {
			t.Errorf("peer %v, want 127.0.0.9", peer)
		}
	}
}

// Replies to pipelined commands come in order, and the refusals with them.
func TestSinkPipelining(t *testing.T) {
	sink := startSink(t, SinkOptions{})
	conn, err := net.Dial("tcp4", sink.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("EHLO x\r\nDATA\r\nMAIL FROM:<a@b>\r\nRSET\r\nNOOP\r\nSTARTTLS\r\nBOGUS\r\nQUIT\r\n")); err != nil {
		t.Fatal(err)
	}
	text := textproto.NewConn(conn)
	for _, code := range []int{220, 250, 503, 250, 250, 250, 502, 502, 221} {
		if _, line, err := text.ReadResponse(code); err != nil {
			t.Errorf("%d: %q, %v", code, line, err)
		}
	}
}

func TestSinkIdleTimeout(t *testing.T) {
	sink := startSink(t, SinkOptions{IdleTimeout: 50 * time.Millisecond})
	conn, err := net.Dial("tcp4", sink.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	text := textproto.NewConn(conn)
	if _, _, err := text.ReadResponse(220); err != nil {
		t.Fatal(err)
	}
	if line, err := text.ReadLine(); err == nil {
		t.Errorf("read %q, want the connection closed", line)
	} else if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		t.Error("the sink does not close an idle connection")
	}
}

func TestNewResult(t *testing.T) {
	sink := &Sink{sessions: []*SinkSession{
		{Messages: []SinkMessage{{Subject: "message 0"}, {Subject: "message 2"}}},
		{Messages: []SinkMessage{{Subject: "message 2"}, {Subject: "a bounce"}}},
	}}
	got := newResult(4, sink)
	want := &Result{
		Lost:        []string{"message 1", "message 3"},
		Duplicates:  []string{"message 2"},
		Unexpected:  []string{"a bounce"},
		Delivered:   2,
		Connections: 2,
		Sessions:    got.Sessions,
	}
	if diff := cmp.Diff(want, got, samePeer); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
}
