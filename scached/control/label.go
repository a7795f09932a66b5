package control

import (
	"encoding/base64"
	"net/netip"
	"strconv"
	"strings"
)

// A Label is what a label of smtp(8) holds. The fields that it does not hold are
// empty.
//
// Labels are lines. Which fields they have depends on the version of Postfix and
// on its configuration, and nothing in a label says which these are; so they are
// taken apart from the right, where they are recognized by their form.
//
// From src/smtp/smtp_key.c and src/smtp/smtp.h.
type Label struct {
	Transport  string // the service that smtp(8) ran as, or its name space
	Sender     string // with smtp_sender_dependent_authentication
	Nexthop    string
	Host       string
	Address    string // of an endpoint, or the path of a socket
	Port       int    // of an endpoint
	TLSLevel   string // requested: the name of a level, see [TLSLevel]
	RequireTLS bool
	SMTPUTF8   bool
}

// notThere stands for a field that is empty.
const notThere = "*"

// fields takes a label apart.
func fields(label string) (list []string, ok bool) {
	if !strings.HasSuffix(label, "\n") {
		return nil, false
	}
	return strings.Split(strings.TrimSuffix(label, "\n"), "\n"), true
}

// text is a field as it was before smtp(8) put it into a label. One that held a
// newline or an asterisk is base64 there, which is recognized by what it stands
// for.
func text(field string) string {
	if field == notThere {
		return ""
	}
	if decoded, err := base64.StdEncoding.DecodeString(field); err == nil && strings.ContainsAny(string(decoded), "\n*") {
		return string(decoded)
	}
	return field
}

// Destination takes the label of a destination apart. It reports false when the
// label is none that smtp(8) makes.
func Destination(label string) (l Label, ok bool) {
	list, ok := fields(label)
	if !ok || len(list) < 2 {
		return Label{}, false
	}
	end := len(list)
	for end > 2 && isFlag(list[end-1]) {
		end--
	}
	if !l.setFlags(list[end:]) {
		return Label{}, false
	}
	l.Transport = text(list[0])
	switch list := list[1:end]; len(list) {
	case 2:
		l.Sender, l.Nexthop = text(list[0]), text(list[1])
	case 1:
		l.Nexthop = text(list[0])
	default:
		return Label{}, false
	}
	return l, true
}

// Endpoint takes the label of an endpoint apart. It reports false when the label
// is none that smtp(8) makes.
func Endpoint(label string) (l Label, ok bool) {
	list, ok := fields(label)
	if !ok {
		return Label{}, false
	}
	port := len(list) - 1
	for port > 1 && !(isPort(list[port]) && isAddress(list[port-1])) {
		port--
	}
	if port < 2 || !l.setFlags(list[port+1:]) {
		return Label{}, false
	}
	l.Transport, l.Address = text(list[0]), text(list[port-1])
	l.Port, _ = strconv.Atoi(list[port])
	switch list := list[1 : port-1]; len(list) {
	case 3:
		l.Sender, l.Nexthop, l.Host = text(list[0]), text(list[1]), text(list[2])
	case 2:
		l.Nexthop, l.Host = text(list[0]), text(list[1])
	case 1:
		l.Nexthop = text(list[0])
	case 0:
	default:
		return Label{}, false
	}
	return l, true
}

// setFlags takes the fields at the end, of which later versions have more.
func (l *Label) setFlags(list []string) bool {
	for _, field := range list {
		if !isFlag(field) {
			return false
		}
	}
	switch n := len(list); n {
	case 3:
		l.RequireTLS = list[1] != "0" && list[1] != notThere
		fallthrough
	case 2:
		l.SMTPUTF8 = list[n-1] == "1"
		fallthrough
	case 1:
		l.TLSLevel = TLSLevel(list[0])
		fallthrough
	case 0:
		return true
	}
	return false
}

func isFlag(field string) bool {
	return field == notThere || len(field) == 1 && '0' <= field[0] && field[0] <= '9'
}

func isPort(field string) bool {
	_, err := strconv.ParseUint(field, 10, 16)
	return err == nil
}

// isAddress recognizes an address of the Internet, or the path of a socket.
func isAddress(field string) bool {
	_, err := netip.ParseAddr(field)
	return err == nil || strings.Contains(field, "/")
}

// tlsLevels are the names of the levels (src/tls/tls_level.c).
var tlsLevels = []string{"none", "may", "encrypt", "fingerprint", "halfdane", "dane", "dane-only", "verify", "secure"}

// TLSLevel is the name of a level that a label or property has the number of, or
// the number if there is no such level, or nothing if there is no number.
func TLSLevel(number string) string {
	n, err := strconv.Atoi(number)
	switch {
	case number == notThere:
		return ""
	case err != nil || n < 0 || n >= len(tlsLevels):
		return number
	}
	return tlsLevels[n]
}

// Properties takes what smtp(8) saves beside a label apart: lines of a name and a
// value, up to an empty one. A line of another form is left out.
//
// From src/smtp/smtp_session.c.
func Properties(property string) map[string]string {
	table := map[string]string{}
	for line := range strings.Lines(property) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			break
		}
		if name, value, ok := strings.Cut(line, "="); ok {
			table[name] = value
		}
	}
	return table
}

// featureNames are the features of a server that a property counts by their bits
// (src/smtp/smtp.h). Those that say nothing about the server are left out.
var featureNames = map[int]string{
	0: "ESMTP", 1: "8BITMIME", 2: "PIPELINING", 3: "SIZE", 4: "STARTTLS", 5: "AUTH",
	12: "BEST_MX", 15: "DSN", 21: "SMTPUTF8", 22: "FROM_PROXY", 23: "REQUIRETLS",
}

// Features are the names of the features whose bits are set in a number, in the
// order of the bits.
func Features(number string) (names []string) {
	bits, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return nil
	}
	for bit := range 64 {
		if name := featureNames[bit]; name != "" && bits&(1<<bit) != 0 {
			names = append(names, name)
		}
	}
	return names
}
