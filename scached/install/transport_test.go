package install

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scache/scached/protocol"
)

func TestDifferences(t *testing.T) {
	main := map[string]string{"smtp_bind_address": "192.0.2.1", "smtp_helo_name": "$myhostname", "myhostname": "mail.example"}
	for _, test := range []struct {
		name   string
		master string // besides smtp
		spaces string
		add    string // to main.cf
		want   string
	}{
		{"a log tag", "relay unix - - y - - smtp -o syslog_name=postfix/$service_name", "relay=smtp", "", ""},
		{"as main.cf has it", "relay unix - - y - - smtp\n -o smtp_bind_address=192.0.2.1 -o { smtp_helo_name = mail.example }", "relay=smtp", "", ""},
		{"source address", "relay unix - - y - - smtp -osmtp_bind_address=192.0.2.2", "relay=smtp", "", `relay, smtp: smtp_bind_address "192.0.2.2" "192.0.2.1"`},
		{"HELO by reference", "relay unix - - y - - smtp -o myhostname=a.example", "relay=smtp", "", `relay, smtp: myhostname "a.example" "mail.example"`},
		{"TLS and checks", "relay unix - - y - - smtp -v -o smtp_tls_security_level=encrypt\n -o smtp_header_checks=regexp:/x", "relay=smtp", "",
			`relay, smtp: smtp_header_checks "regexp:/x" ""; relay, smtp: smtp_tls_security_level "encrypt" ""`},
		{"by the name of the service", "relay unix - - y - - smtp", "relay=smtp", "smtp_sasl_password_maps=hash:/etc/${service_name}",
			`relay, smtp: smtp_sasl_password_maps "hash:/etc/relay" "hash:/etc/smtp"`},
		{"jail", "relay unix - - n - - smtp", "relay=smtp", "", `relay, smtp: chroot "n" "y"`},
		{"another protocol", "local unix - - y - - lmtp", "local=smtp", "", `local, smtp: the command "lmtp" "smtp"`},
		{"a name that is no transport", "a unix - - y - - smtp\nb unix - - y - - smtp -o smtp_helo_name=b", "a=both, b=both", "", `b, a: smtp_helo_name "b" "mail.example"`},
		{"alone", "a unix - - y - - smtp -o smtp_helo_name=b", "a=other", "", ""},
		{"no such transport", "", "a=smtp", "", `a, smtp: master.cf "no such service that delivers over SMTP" ""`},
	} {
		t.Run(test.name, func(t *testing.T) {
			spaces, err := protocol.ParseNameSpaces(test.spaces)
			if err != nil {
				t.Fatal(err)
			}
			values := map[string]string{}
			for name, value := range main {
				values[name] = value
			}
			if name, value, ok := strings.Cut(test.add, "="); ok {
				values[name] = value
			}
			list := transports([]byte("smtp inet n - y - - smtpd\nsmtp unix - - y - - smtp\n" + test.master + "\n"))
			var got []string
			for _, d := range differences(list, spaces, values) {
				got = append(got, fmt.Sprintf("%s, %s: %s %q %q", d.Transport, d.Other, d.What, d.Value, d.OtherIs))
			}
			if diff := cmp.Diff(test.want, strings.Join(got, "; ")); diff != "" {
				t.Errorf("differences (-want +got):\n%s", diff)
			}
		})
	}
}
