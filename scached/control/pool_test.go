package control

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scache/testdata"
)

// The pool holds labels and properties that smtp(8) and lmtp(8) have saved, with
// what they mean. "go test ./compat/mail -run TestLabels -update" records it anew,
// from a Postfix that is installed.
func TestPool(t *testing.T) {
	file, err := os.Open("testdata/labels.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	n := 0
	for lines := json.NewDecoder(file); ; n++ {
		var r struct {
			Name, Version, Kind, Label, Property string
			Want                                 Label
			TLS                                  string
			Features                             []string
		}
		if err := lines.Decode(&r); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		t.Run(r.Version+" "+r.Kind+": "+r.Name, func(t *testing.T) {
			decode := Destination
			if r.Kind == "session" {
				decode = Endpoint
			}
			got, ok := decode(r.Label)
			if diff := cmp.Diff(r.Want, got); diff != "" || !ok {
				t.Errorf("%q: %v (-want +got):\n%s", r.Label, ok, diff)
			}
			properties := Properties(r.Property)
			if r.Kind == "binding" {
				if got := properties["destination"]; got != r.Want.Nexthop && r.Want.Sender == "" {
					t.Errorf("the property is of destination %q", got)
				}
				return
			}
			if got := TLSLevel(properties["tls_level"]); got != r.TLS {
				t.Errorf("level %q, not %q", got, r.TLS)
			}
			if diff := cmp.Diff(r.Features, Features(properties["endpoint_features"])); diff != "" {
				t.Errorf("features (-want +got):\n%s", diff)
			}
			if properties["expire_time"] == "" || properties["reuse_count"] == "" {
				t.Errorf("properties %v", properties)
			}
		})
	}
	if n < 30 {
		t.Errorf("the pool has only %d labels", n)
	}
}

// The client library of each version can save labels that smtp(8) does not make,
// and the transcripts of it hold such. They are not taken for what they are not.
func TestLabelsOfLibraries(t *testing.T) {
	clients, err := testdata.Clients()
	if err != nil {
		t.Fatal(err)
	}
	labels := 0
	for _, c := range clients {
		for _, step := range c.Steps {
			if _, rest, found := strings.Cut(step.Data, "label\x00"); found && step.ToServer {
				label, _, _ := strings.Cut(rest, "\x00")
				labels++
				if got, ok := Endpoint(label); ok {
					t.Errorf("%s: the endpoint of %q is %+v", c.Version, label, got)
				}
				if got, ok := Destination(label); ok {
					t.Errorf("%s: the destination of %q is %+v", c.Version, label, got)
				}
			}
		}
	}
	if labels < 100 {
		t.Errorf("only %d labels", labels)
	}
}
