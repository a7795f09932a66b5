package operator

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"scache/scached/control"
)

// A Session is one in the cache, as an administrator sees it.
type Session struct {
	Transport   string   `json:"transport"`            // that saved it
	NameSpace   string   `json:"name_space,omitempty"` // where that is not the transport
	Destination string   `json:"destination"`          // a nexthop that leads to it, if one is known
	Endpoint    string   `json:"endpoint"`             // address and port
	Age         int      `json:"age"`                  // seconds
	Left        int      `json:"left"`                 // seconds
	Uses        int      `json:"uses"`                 // messages so far
	TLS         string   `json:"tls"`                  // the level of its connection
	Features    []string `json:"features"`
	Alive       bool     `json:"alive"`
	Label       string   `json:"label"` // as it is
}

// A Binding leads from a destination to an endpoint.
type Binding struct {
	Transport   string `json:"transport"`
	NameSpace   string `json:"name_space,omitempty"`
	Sender      string `json:"sender,omitempty"`
	Destination string `json:"destination"`
	Endpoint    string `json:"endpoint"`
	Age         int    `json:"age"`
	Left        int    `json:"left"`
	TLS         string `json:"tls"` // the level that was asked for
	Label       string `json:"label"`
	EndpointKey string `json:"endpoint_label"`
}

// Sessions are those that are meant. What leads to them is asked for only where
// their labels do not say it.
func Sessions(ctx context.Context, c *control.Client, f control.Filter) (list []Session, err error) {
	var entries []control.Entry
	untold := false
	err = c.Sessions(ctx, f, func(e control.Entry) error {
		l, _ := control.Endpoint(e.Label)
		untold = untold || l.Nexthop == ""
		entries = append(entries, e)
		return nil
	})
	nexthops := map[string]string{}
	if err == nil && untold {
		err = c.Bindings(ctx, control.Filter{Transport: f.Transport, Prefix: f.Prefix}, func(e control.Entry) error {
			l, _ := control.Destination(e.Label)
			nexthops[e.Endpoint] = l.Nexthop
			return nil
		})
	}
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		list = append(list, newSession(e, nexthops))
	}
	return list, nil
}

// Bindings are those that are meant.
func Bindings(ctx context.Context, c *control.Client, f control.Filter) (list []Binding, err error) {
	err = c.Bindings(ctx, f, func(e control.Entry) error {
		list = append(list, newBinding(e))
		return nil
	})
	return list, err
}

// newSession tells what an entry of a session means. Nexthops are those of
// endpoints' labels.
func newSession(e control.Entry, nexthops map[string]string) Session {
	properties := control.Properties(e.Property)
	l, ok := control.Endpoint(e.Label)
	s := Session{
		Transport: e.Transport, NameSpace: nameSpace(e.Transport, l, ok), Endpoint: endpoint(e.Label), Label: e.Label,
		Destination: l.Nexthop, Age: whole(e.Age), Left: whole(e.Left),
		TLS: control.TLSLevel(properties["tls_level"]), Features: control.Features(properties["endpoint_features"]), Alive: e.Alive,
	}
	if s.Destination == "" {
		s.Destination = nexthops[e.Label]
	}
	if s.TLS == "" {
		s.TLS = l.TLSLevel
	}
	s.Uses, _ = strconv.Atoi(properties["reuse_count"])
	return s
}

// newBinding tells what an entry of a binding means.
func newBinding(e control.Entry) Binding {
	l, ok := control.Destination(e.Label)
	b := Binding{
		Transport: e.Transport, NameSpace: nameSpace(e.Transport, l, ok), Sender: l.Sender, Destination: l.Nexthop,
		Endpoint: endpoint(e.Endpoint), Age: whole(e.Age), Left: whole(e.Left), TLS: l.TLSLevel,
		Label: e.Label, EndpointKey: e.Endpoint,
	}
	if !ok {
		b.Destination = e.Label
	}
	return b
}

// nameSpace is the first field of a label where that is not the transport.
func nameSpace(transport string, l control.Label, ok bool) string {
	if !ok || l.Transport == transport {
		return ""
	}
	return l.Transport
}

// endpoint is where the label of an endpoint leads to, or the label itself.
func endpoint(label string) string {
	l, ok := control.Endpoint(label)
	switch {
	case !ok:
		return label
	case strings.HasPrefix(l.Address, "/"), l.Port == 0:
		return l.Address
	}
	return net.JoinHostPort(l.Address, strconv.Itoa(l.Port))
}

func whole(d time.Duration) int { return int(d / time.Second) }

// WriteSessions writes a table that is at most width wide, if that can be.
func WriteSessions(w io.Writer, sessions []Session, width int) error {
	t := Table{Header: []string{"TRANSPORT", "DESTINATION", "ENDPOINT", "AGE", "LEFT", "USES", "TLS", "ALIVE", "FEATURES"},
		Right: map[int]bool{3: true, 4: true, 5: true}}
	for _, s := range sessions {
		t.Rows = append(t.Rows, []string{within(s.Transport, s.NameSpace), Escaped(s.Destination), Escaped(s.Endpoint),
			strconv.Itoa(s.Age) + "s", strconv.Itoa(s.Left) + "s", strconv.Itoa(s.Uses), Escaped(s.TLS), yesNo(s.Alive),
			strings.Join(s.Features, " ")})
	}
	return t.write(w, width, "no sessions")
}

// WriteBindings writes a table that is at most width wide, if that can be.
func WriteBindings(w io.Writer, bindings []Binding, width int) error {
	t := Table{Header: []string{"TRANSPORT", "DESTINATION", "ENDPOINT", "AGE", "LEFT", "TLS"}, Right: map[int]bool{3: true, 4: true}}
	for _, b := range bindings {
		destination := Escaped(b.Destination)
		if b.Sender != "" {
			destination += " (sender " + Escaped(b.Sender) + ")"
		}
		t.Rows = append(t.Rows, []string{within(b.Transport, b.NameSpace), destination, Escaped(b.Endpoint),
			strconv.Itoa(b.Age) + "s", strconv.Itoa(b.Left) + "s", Escaped(b.TLS)})
	}
	return t.write(w, width, "no bindings")
}

// within is a transport, and the name space that it is in.
func within(transport, space string) string {
	if space == "" {
		return Escaped(transport)
	}
	return Escaped(transport) + " in " + Escaped(space)
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

func (t *Table) write(w io.Writer, width int, none string) error {
	if len(t.Rows) == 0 {
		_, err := fmt.Fprintln(w, none)
		return err
	}
	for _, line := range t.Lines(width) {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}

// WriteJSON writes an object a line.
func WriteJSON[T any](w io.Writer, objects ...T) error {
	encoder := json.NewEncoder(w)
	for _, object := range objects {
		if err := encoder.Encode(object); err != nil {
			return err
		}
	}
	return nil
}

// Flushed is how many sessions and bindings were given up.
type Flushed struct {
	Sessions int `json:"sessions"`
	Bindings int `json:"bindings"`
}

// WriteFlushed says what a flush did.
func WriteFlushed(w io.Writer, f Flushed) error {
	_, err := fmt.Fprintf(w, "gave up %d sessions and %d bindings\n", f.Sessions, f.Bindings)
	return err
}
