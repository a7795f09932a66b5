package control

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Labels of each version, as src/smtp/smtp_key.c of that version makes them; those
// of 3.7.11 were recorded.
func TestDestination(t *testing.T) {
	for _, test := range []struct {
		name, label string
		want        Label
	}{
		{"up to 3.10.2, 3.7.11 recorded", "smtp\n[127.0.0.1]:2526\n", Label{Transport: "smtp", Nexthop: "[127.0.0.1]:2526"}},
		{"with a sender", "smtp\nuser@example.org\nexample.com\n",
			Label{Transport: "smtp", Sender: "user@example.org", Nexthop: "example.com"}},
		{"with the null sender", "smtp\n*\nexample.com\n", Label{Transport: "smtp", Nexthop: "example.com"}},
		{"3.10.3", "relay\nexample.com\n1\n", Label{Transport: "relay", Nexthop: "example.com", TLSLevel: "may"}},
		{"3.10.5", "smtp\nexample.com\n8\n1\n", Label{Transport: "smtp", Nexthop: "example.com", TLSLevel: "secure", SMTPUTF8: true}},
		{"3.11", "smtp\nexample.com\n2\n1\n0\n", Label{Transport: "smtp", Nexthop: "example.com", TLSLevel: "encrypt", RequireTLS: true}},
		{"3.12 with a sender", "smtp\nu@example.org\nexample.com\n4\n0\n*\n",
			Label{Transport: "smtp", Sender: "u@example.org", Nexthop: "example.com", TLSLevel: "halfdane"}},
		{"a sender with an asterisk", "smtp\ndSpAZXhhbXBsZS5vcmc=\nexample.com\n",
			Label{Transport: "smtp", Sender: "u*@example.org", Nexthop: "example.com"}},
		{"LMTP", "lmtp\nunix:private/dovecot-lmtp\n", Label{Transport: "lmtp", Nexthop: "unix:private/dovecot-lmtp"}},
		{"an address literal", "smtp\n[2001:db8::1]\n", Label{Transport: "smtp", Nexthop: "[2001:db8::1]"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, ok := Destination(test.label)
			if diff := cmp.Diff(test.want, got); diff != "" || !ok {
				t.Errorf("%v (-want +got):\n%s", ok, diff)
			}
		})
	}
}

func TestEndpoint(t *testing.T) {
	for _, test := range []struct {
		name, label string
		want        Label
	}{
		{"up to 3.3", "smtp\n192.0.2.1\n25\n", Label{Transport: "smtp", Address: "192.0.2.1", Port: 25}},
		{"3.7.11 recorded", "smtp\n127.0.0.1\n2526\n0\n", Label{Transport: "smtp", Address: "127.0.0.1", Port: 2526, TLSLevel: "none"}},
		{"with a nexthop", "smtp\nexample.com\n192.0.2.1\n25\n1\n",
			Label{Transport: "smtp", Nexthop: "example.com", Address: "192.0.2.1", Port: 25, TLSLevel: "may"}},
		{"with nexthop and host", "smtp\nexample.com\nmx.example.com\n2001:db8::1\n587\n2\n",
			Label{Transport: "smtp", Nexthop: "example.com", Host: "mx.example.com", Address: "2001:db8::1", Port: 587, TLSLevel: "encrypt"}},
		{"with all", "smtp\nu@example.org\nexample.com\nmx.example.com\n192.0.2.1\n587\n2\n1\n",
			Label{Transport: "smtp", Sender: "u@example.org", Nexthop: "example.com", Host: "mx.example.com",
				Address: "192.0.2.1", Port: 587, TLSLevel: "encrypt", SMTPUTF8: true}},
		{"3.12", "smtp\nexample.com\n192.0.2.1\n25\n8\n2\n1\n",
			Label{Transport: "smtp", Nexthop: "example.com", Address: "192.0.2.1", Port: 25, TLSLevel: "secure", RequireTLS: true, SMTPUTF8: true}},
		{"LMTP", "lmtp\nprivate/dovecot-lmtp\n0\n0\n", Label{Transport: "lmtp", Address: "private/dovecot-lmtp", TLSLevel: "none"}},
		{"a level of the future", "smtp\n192.0.2.1\n25\n9\n", Label{Transport: "smtp", Address: "192.0.2.1", Port: 25, TLSLevel: "9"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, ok := Endpoint(test.label)
			if diff := cmp.Diff(test.want, got); diff != "" || !ok {
				t.Errorf("%v (-want +got):\n%s", ok, diff)
			}
		})
	}
}

// What smtp(8) does not make is not taken for what it is not.
func TestForeignLabels(t *testing.T) {
	for _, label := range []string{"", "\n", "example", "example\n", "a\nb\nc\nd\ne\nf\n", "smtp\nexample.com\n1\n2\n3\n4\n5\n"} {
		if got, ok := Endpoint(label); ok {
			t.Errorf("the endpoint of %q is %+v", label, got)
		}
		if label == "a\nb\nc\nd\ne\nf\n" || len(label) < 9 {
			if got, ok := Destination(label); ok {
				t.Errorf("the destination of %q is %+v", label, got)
			}
		}
	}
	if got, ok := Destination("smtp\nexample.com\n1\n2\n3\n4\n5\n"); ok {
		t.Errorf("five flags: %+v", got)
	}
}

func TestProperties(t *testing.T) {
	got := Properties("tls_level=2\nreuse_count=3\nendpoint_features=4103\nnonsense\nempty=\n\nrest=1\n")
	want := map[string]string{"tls_level": "2", "reuse_count": "3", "endpoint_features": "4103", "empty": ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"ESMTP", "8BITMIME", "PIPELINING", "BEST_MX"}, Features("4103")[:4]); diff != "" {
		t.Log(Features("4103"))
		t.Errorf("features (-want +got):\n%s", diff)
	}
	if got := Features("no number"); got != nil {
		t.Errorf("features of no number: %q", got)
	}
}
