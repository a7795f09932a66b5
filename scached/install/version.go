package install

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

var errNoCache = errors.New("this Postfix has no connection cache")

// DialectOf returns the value of scached_protocol_version that goes with a
// mail_version.
func DialectOf(version string) (string, error) {
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

// versionStamp is what Postfix writes into each of its programs, since 2.4
// (src/global/mail_version.h).
const versionStamp = "mail_version="

// MailVersion returns the mail_version of a program of Postfix, which it need not
// run for that. It is empty for a program that does not say it.
func MailVersion(program string) (string, error) {
	data, err := os.ReadFile(program)
	if err != nil {
		return "", err
	}
	for {
		at := bytes.Index(data, []byte(versionStamp))
		if at < 0 {
			return "", nil
		}
		data = data[at+len(versionStamp):]
		value, _, _ := bytes.Cut(data, []byte{0})
		if len(value) > 0 && value[0] >= '0' && value[0] <= '9' {
			return string(value), nil
		}
	}
}
