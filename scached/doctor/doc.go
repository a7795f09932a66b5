// Package doctor says why a Postfix reuses connections, or why it does not.
//
// Gather comes first: it reads the configuration and asks the cache. Examine then
// looks at these facts alone, and tells what it finds: what, where that was read,
// what to change. The package changes nothing, and never delays any mail.
package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"scache/scached/control"
	"scache/scached/install"
)

// Facts are what is examined.
type Facts struct {
	*install.Report
	OursInMain map[string]bool // names in main.cf that begin with scached_

	// Asked is what an administrator asked about: a domain or an address that mail
	// is for, or a nexthop such as [192.0.2.1]:587; empty for nothing.
	Asked string
	// Sender is whom the mail is from, for what depends on that; empty for anybody.
	Sender string
	// LookUp asks a table, of which it has the type and the name.
	LookUp func(table, key string) (value string, found bool, err error)
	// Listed tells whether a list of destinations holds a name, as Postfix would
	// look.
	Listed func(list, name string) (bool, error)

	Active int             // messages in the active queue; -1 if that is not known
	Status *control.Status // what the cache says of itself; nil if it does not
	Silent error           // why it does not
	Held   []Held
}

// Held is what the cache holds for a destination and a transport.
type Held struct {
	Transport, Destination string
	Spaced                 bool // the transport is in a name space
	Bindings               int
}

// A Finding is something that keeps connections from being reused, or that is
// worth knowing about that.
type Finding struct {
	// Wrong means that there is no reuse at all, or that the daemon does not do as
	// it was told. It is worth knowing otherwise.
	Wrong  bool   `json:"wrong"`
	What   string `json:"what"`
	Where  string `json:"where"`  // it was read
	Change string `json:"change"` // what to do about it
}

// AnyWrong tells whether one of the findings is.
func AnyWrong(findings []Finding) bool {
	for _, f := range findings {
		if f.Wrong {
			return true
		}
	}
	return false
}

// Write writes the findings for people, those that are wrong first.
func Write(w io.Writer, findings []Finding) error {
	var b strings.Builder
	wrong := 0
	for _, only := range []bool{true, false} {
		for _, f := range findings {
			if f.Wrong != only {
				continue
			}
			title := "note "
			if f.Wrong {
				title = "WRONG"
				wrong++
			}
			fmt.Fprintf(&b, "%s  %s\n       read in: %s\n       to do:   %s\n", title, f.What, f.Where, f.Change)
		}
	}
	fmt.Fprintf(&b, "%d wrong, %d worth knowing\n", wrong, len(findings)-wrong)
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteJSON writes an object a line.
func WriteJSON(w io.Writer, findings []Finding) error {
	encoder := json.NewEncoder(w)
	for _, f := range findings {
		if err := encoder.Encode(f); err != nil {
			return err
		}
	}
	return nil
}

// seconds is a time as Postfix writes it: a number and a unit, seconds if there is
// none.
func seconds(text string) (time.Duration, bool) {
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	unit := time.Second
	if n := len(text); n > 0 && units[text[n-1]] != 0 {
		unit = units[text[n-1]]
		text = text[:n-1]
	}
	var n int
	if _, err := fmt.Sscanf(text, "%d", &n); err != nil {
		return 0, false
	}
	return time.Duration(n) * unit, true
}
