package attrtool

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strings"
	"text/tabwriter"
	"time"

	"scache/attrproto"
	"scache/attrproto/service"
)

// PrintQueue writes a queue listing: for each message a line, and one for each
// recipient. As JSON it is what "postqueue -j" prints, an object a line. It
// stops at the first error, which it returns.
func PrintQueue(w io.Writer, queue iter.Seq2[service.Message, error], f Format) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	for m, err := range queue {
		switch {
		case err != nil:
		case f == JSON:
			err = encoder.Encode(m)
		default:
			err = printMessage(w, m)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func printMessage(w io.Writer, m service.Message) error {
	var b strings.Builder
	arrival := time.Unix(m.Arrival, 0).UTC().Format(time.RFC3339)
	fmt.Fprintf(&b, "%s  %s  %s  %d bytes  from %s", m.ID, m.Queue, arrival, m.Size, m.Sender)
	if m.ForcedExpire {
		b.WriteString("  to be expired")
	}
	b.WriteByte('\n')
	for _, to := range m.Recipients {
		fmt.Fprintf(&b, "    %s", to.Address)
		if to.Reason != "" {
			fmt.Fprintf(&b, "  (%s)", to.Reason)
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// A field is a line of an answer.
type field struct {
	name  string
	value any
}

// print writes fields one a line, or as one JSON object.
func print(w io.Writer, object any, f Format, fields ...field) error {
	if f == JSON {
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(object)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, field := range fields {
		value := attrproto.Printable(fmt.Append(nil, field.value)) // it came from elsewhere
		fmt.Fprintf(table, "%s\t%s\n", field.name, value)
	}
	return table.Flush()
}

// PrintRoute writes where mail for an address goes.
func PrintRoute(w io.Writer, address string, route service.Route, f Format) error {
	object := struct {
		Address string `json:"address"`
		service.Route
		Flags []string `json:"flags"` // by name, in place of the number
	}{address, route, route.Flags.Names()}
	return print(w, object, f, field{"address", address}, field{"transport", route.Transport},
		field{"nexthop", route.Nexthop}, field{"recipient", route.Recipient},
		field{"flags", strings.Join(route.Flags.Names(), " ")})
}

// PrintVerification writes whether an address is deliverable.
func PrintVerification(w io.Writer, address string, v service.Verification, f Format) error {
	object := struct {
		Address string `json:"address"`
		Status  string `json:"status"`
		Reason  string `json:"reason"`
	}{address, v.Status.String(), v.Reason}
	return print(w, object, f, field{"address", address}, field{"status", v.Status}, field{"reason", v.Reason})
}

// PrintRates writes how busy a client is.
func PrintRates(w io.Writer, rates service.Rates, f Format) error {
	return print(w, rates, f, field{"connections", rates.Connections}, field{"connection rate", rates.ConnectionRate},
		field{"message rate", rates.Messages}, field{"recipient rate", rates.Recipients},
		field{"new TLS session rate", rates.TLSSessions}, field{"authentication rate", rates.Authentications})
}
