package attrtool

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scache/attrproto/service"
)

func queue(err error) iter.Seq2[service.Message, error] {
	return func(yield func(service.Message, error) bool) {
		if !yield(service.Message{Queue: "hold", ID: "X", Arrival: 86400, Size: 5, ForcedExpire: true, Sender: "a",
			Recipients: []service.Recipient{{Address: "b", Reason: "<later>"}, {Address: "c"}}}, nil) {
			return
		}
		if err != nil {
			yield(service.Message{}, err)
		}
	}
}

func TestPrint(t *testing.T) {
	route := service.Route{Transport: "smtp", Nexthop: "example.com", Recipient: "a@example.com", Flags: service.ClassDefault}
	for name, c := range map[string]struct {
		print       func(w io.Writer, f Format) error
		lines, json string
	}{
		"queue": {
			func(w io.Writer, f Format) error { return PrintQueue(w, queue(nil), f) },
			"X  hold  1970-01-02T00:00:00Z  5 bytes  from a  to be expired\n    b  (<later>)\n    c\n",
			`{"queue_name":"hold","queue_id":"X","arrival_time":86400,"message_size":5,"forced_expire":true,"sender":"a","recipients":[{"address":"b","delay_reason":"<later>"},{"address":"c"}]}` + "\n",
		},
		"route": {
			func(w io.Writer, f Format) error { return PrintRoute(w, "a\x1b", route, f) },
			"address    a?\ntransport  smtp\nnexthop    example.com\nrecipient  a@example.com\nflags      default\n",
			`{"address":"a\u001b","transport":"smtp","nexthop":"example.com","recipient":"a@example.com","flags":["default"]}` + "\n",
		},
		"verification": {
			func(w io.Writer, f Format) error {
				return PrintVerification(w, "a", service.Verification{Status: service.Deferred, Reason: "busy"}, f)
			},
			"address  a\nstatus   deferred\nreason   busy\n",
			`{"address":"a","status":"deferred","reason":"busy"}` + "\n",
		},
		"rates": {
			func(w io.Writer, f Format) error { return PrintRates(w, service.Rates{Connections: 1, Messages: 2}, f) },
			"connections           1\nconnection rate       0\nmessage rate          2\nrecipient rate        0\nnew TLS session rate  0\nauthentication rate   0\n",
			`{"count":1,"rate":0,"mail":2,"rcpt":0,"newtls":0,"auth":0}` + "\n",
		},
	} {
		for f, want := range map[Format]string{Lines: c.lines, JSON: c.json} {
			var got bytes.Buffer
			if err := c.print(&got, f); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if diff := cmp.Diff(want, got.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	}
}

func TestPrintQueueErrors(t *testing.T) {
	if err := PrintQueue(io.Discard, queue(errBroken), Lines); !errors.Is(err, errBroken) {
		t.Errorf("a listing that breaks off: %v", err)
	}
	for _, f := range []Format{Lines, JSON} {
		if err := PrintQueue(brokenWriter{}, queue(nil), f); !errors.Is(err, errBroken) {
			t.Errorf("an output that breaks: %v", err)
		}
	}
}
