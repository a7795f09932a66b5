package daemon

import "fmt"

// The severities of a log line. Their numbers are syslog's.
type severity byte

const (
	info    severity = 6
	warning severity = 4
	failure severity = 3
	fatal   severity = 2
)

// label is what a line starts with.
func (s severity) label() string {
	switch s {
	case warning:
		return "warning: "
	case failure:
		return "error: "
	case fatal:
		return "fatal: "
	}
	return ""
}

const facilityMail = 2 << 3

// facilities are the names that syslog_facility may have, and their codes
// (src/util/msg_syslog.c). The C library takes code 0, which should be the
// kernel's, for "whatever was set first", and that is mail.
var facilities = map[string]int{
	"kern": facilityMail, "user": 1 << 3, "mail": facilityMail, "daemon": 3 << 3,
	"auth": 4 << 3, "syslog": 5 << 3, "lpr": 6 << 3, "news": 7 << 3,
	"uucp": 8 << 3, "cron": 9 << 3, "authpriv": 10 << 3, "ftp": 11 << 3,
	"local0": 16 << 3, "local1": 17 << 3, "local2": 18 << 3, "local3": 19 << 3,
	"local4": 20 << 3, "local5": 21 << 3, "local6": 22 << 3, "local7": 23 << 3,
}

// setFacility changes the facility of the lines that go to syslog.
func (l *Log) setFacility(c *config, name string) error {
	code, ok := facilities[name]
	if !ok {
		return fmt.Errorf("file %s: parameter syslog_facility: unrecognized value: %s", c.path(), name)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.facility = code
	return nil
}
