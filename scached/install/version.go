package install

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

var errNoCache = errors.New("this Postfix has no connection cache")

// dialectOf returns the value of scached_protocol_version that goes with a
// mail_version.
func dialectOf(version string) (string, error) {
	number, snapshot, _ := strings.Cut(version, "-")
	parts := strings.Split(number, ".")
	var n [3]int
	for i := range min(len(parts), len(n)) {
		var err error
		if n[i], err = strconv.Atoi(parts[i]); err != nil {
			return "", fmt.Errorf("not the version of a Postfix: %q", version)
		}
	}
	at := func(major, minor, patch int) bool {
		return n[0] > major || n[0] == major && (n[1] > minor || n[1] == minor && n[2] >= patch)
	}
	switch {
	case number == "2.2" && snapshot == "20040720":
		return "20040720", nil
	case number == "2.2" && strings.HasPrefix(snapshot, "2004"), !at(2, 2, 0):
		return "", fmt.Errorf("%w, or one of which nothing is known: %s", errNoCache, version)
	case at(3, 6, 0):
		return "3.6", nil
	case at(2, 2, 5):
		return "2.3", nil
	}
	return "2.2", nil
}
