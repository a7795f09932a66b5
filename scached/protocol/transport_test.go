package protocol

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// With a name space a session that relay saved is found by smtp, and in no other
// way; without it never.
func TestNameSpaces(t *testing.T) {
	saved := []string{"endp relay|a| p 7", "dest relay|d| q relay|a|"}
	for _, test := range []struct {
		name, spaces, request, label string
		found                        bool
	}{
		{"none: another's", "", "find_endp", "smtp\na\n", false},
		{"none: its own", "", "find_endp", "relay\na\n", true},
		{"shared: another's", "relay=smtp", "find_endp", "smtp\na\n", true},
		{"shared: another's, by destination", "relay=smtp", "find_dest", "smtp\nd\n", true},
		{"shared: its own", "relay=smtp", "find_dest", "relay\nd\n", true},
		{"shared: a third one's", "relay=smtp", "find_endp", "slow\na\n", false},
		{"three share", "relay=smtp, slow=smtp", "find_dest", "slow\nd\n", true},
		{"a name of their own", "relay=x,smtp=x", "find_dest", "smtp\nd\n", true},
		{"not of what others share", "slow=smtp", "find_endp", "smtp\na\n", false},
		{"not followed twice", "smtp=slow, relay=smtp", "find_endp", "slow\na\n", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPeer(t, "3.6", false)
			var err error
			if p.service.NameSpaces, err = ParseNameSpaces(test.spaces); err != nil {
				t.Fatal(err)
			}
			p.output()
			p.save(saved...)
			answer := p.send(list("request", test.request, "label", test.label))
			if found := strings.HasPrefix(answer, list("status", "0")[:9]); found != test.found {
				t.Errorf("found is %v: %q", found, answer)
			}
		})
	}
}

func TestParseNameSpaces(t *testing.T) {
	for _, test := range []struct {
		text string
		want []NameSpace
		err  string
	}{
		{"", nil, ""},
		{" ,\t", nil, ""},
		{"relay=smtp", []NameSpace{{"relay", "smtp"}}, ""},
		{"relay=smtp, slow=smtp\tx=y", []NameSpace{{"relay", "smtp"}, {"slow", "smtp"}, {"x", "y"}}, ""},
		{"relay", nil, `name space "relay": want transport=name`},
		{"=smtp", nil, `name space "=smtp": want transport=name`},
		{"relay=", nil, `name space "relay=": want transport=name`},
		{"relay=smtp=x", nil, `name space "relay=smtp=x": want transport=name`},
		{"relay=smtp relay=x", nil, `name space "relay=x": relay has one already`},
	} {
		got, err := ParseNameSpaces(test.text)
		if text := fmt.Sprint(err); err != nil && text != test.err || err == nil && test.err != "" {
			t.Errorf("%q: error %v, want %s", test.text, err, test.err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" && test.err == "" {
			t.Errorf("%q (-want +got):\n%s", test.text, diff)
		}
	}
}

// Names come from clients: there is an end to how many are counted apart.
func TestManyTransports(t *testing.T) {
	p := newPeer(t, "3.6", false)
	p.service.Control = true
	p.output()
	for i := range 100 {
		p.save(fmt.Sprintf("endp t%d|e| p %d", i, i+1))
	}
	p.save(`endp a"\|e| p 101`)
	p.send(list("request", "find_endp", "label", "t99\ne\n"))
	p.send(dummy)
	p.send(dummy)
	answer := p.ask(list("request", "scached_status"))
	n := 0
	for _, a := range answer {
		if strings.HasPrefix(a.Name, "transport_sessions{") {
			n++
		}
	}
	if n != maxTransports {
		t.Errorf("%d transports, want %d", n, maxTransports)
	}
	want := fmt.Sprint(101 - (maxTransports - 1) - 1)
	if got := value(answer, `transport_sessions{transport="other"}`); got != want {
		t.Errorf("%s sessions of others, want %s", got, want)
	}
	if got := labelValue("a\"\\\n\xff"); got != `a\"\\\n?` {
		t.Errorf("a label's value is %q", got)
	}
}
