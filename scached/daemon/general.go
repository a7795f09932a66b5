package daemon

import (
	"fmt"
	"strings"
	"time"
)

// Params are the parameters that every daemon has, all checked.
type Params struct {
	QueueDirectory string
	MailOwner      string
	MyHostname     string
	SyslogFacility string
	SyslogName     string
	MaillogFile    string // log to the postlog service if not empty
	PostlogService string
	SMTPUTF8       bool // UTF-8 is logged as it is

	MaxIdle       time.Duration // exit when no client was there for so long
	IPCTimeout    time.Duration // for a client in the middle of a request
	DaemonTimeout time.Duration // for an event loop that does not turn

	level    string
	ignored  string
	maxUse   int
	prefixes string
}

// GeneralParameters are the parameters that every daemon reads, whatever it
// serves.
func GeneralParameters() []Parameter {
	return new(Params).parameters(nil, nil, nil)
}

// parameters are in the order in which mail_params_init reads them
// (src/global/mail_params.c), so that of two mistakes the same one is reported.
// Of those that only other programs use there is none. The log learns its
// facility as soon as it is known. system returns the host's own name.
func (p *Params) parameters(c *config, log *Log, system func() (string, error)) []Parameter {
	return []Parameter{
		{
			Name: "compatibility_level", Default: "0", Target: &p.level,
			Help: "which defaults are in effect, here that of smtputf8_enable",
			Check: func() error {
				_, err := compatibilityLevel(p.level)
				return err
			},
		},
		{
			Name: "syslog_facility", Default: "mail", Target: &p.SyslogFacility, Min: 1,
			Help:  "the syslog facility of log lines",
			Check: func() error { return log.setFacility(c, p.SyslogFacility) },
		},
		{
			Name: "maillog_file", Default: "", Target: &p.MaillogFile,
			Help: "the file that postlogd(8) writes the log to; empty to log to syslog",
		},
		{
			Name: "maillog_file_prefixes", Default: "/var, /dev/stdout", Target: &p.prefixes, Min: 1,
			Help: "what maillog_file may begin with",
		},
		{
			Name: "postlog_service_name", Default: "postlog", Target: &p.PostlogService, Min: 1,
			Help: "the name of the postlogd(8) service in master.cf",
		},
		{
			Name: "smtputf8_enable", Default: "${{$compatibility_level} <level {1} ? {no} : {yes}}", Target: &p.SMTPUTF8,
			Help: "log UTF-8 as it is, and not as question marks",
			Check: func() error {
				log.setUTF8(p.SMTPUTF8)
				return nil
			},
		},
		{
			Name: "myhostname", Target: &p.MyHostname,
			Help: "the name of this host in lines for postlogd(8)",
			read: func() (err error) {
				p.MyHostname, err = c.hostname(system)
				return err
			},
		},
		{
			Name: "mail_name", Default: "Postfix", Target: &p.ignored, Min: 1,
			Help: "the name of the mail system, for other parameters to refer to",
		},
		{
			Name: "syslog_name", Default: defaultSyslogName, Target: &p.SyslogName, Min: 1,
			Help: "what comes before the program's name in the log",
		},
		{
			Name: "mail_owner", Default: "postfix", Target: &p.MailOwner, Min: 1,
			Help: "the account that the daemon runs as",
		},
		{
			Name: "queue_directory", Default: "/var/spool/postfix", Target: &p.QueueDirectory, Min: 1,
			Help: "the daemon's working directory, and its root directory if master.cf says so",
		},
		{
			Name: "max_use", Default: "100", Target: &p.maxUse, Min: 1, Unit: "clients",
			Help: "how many clients a process serves; checked, but this daemon serves any number",
		},
		{
			Name: "max_idle", Default: "100s", Target: &p.MaxIdle, Min: 1,
			Help: "end when no client was connected for so long",
		},
		{
			Name: "ipc_timeout", Default: "3600s", Target: &p.IPCTimeout, Min: 1,
			Help: "how long a client may take over a request",
		},
		{
			Name: "daemon_timeout", Default: "18000s", Target: &p.DaemonTimeout, Min: 1,
			Help: "end when the daemon has not responded for so long",
		},
	}
}

const defaultSyslogName = "${multi_instance_name?{$multi_instance_name}:{postfix}}"

// checkMaillogFile keeps an administrator's slip from making a log file out of
// something else (src/global/maillog_client.c).
func (c *config) checkMaillogFile(file string) error {
	prefixes, err := c.str("maillog_file_prefixes", "", 0)
	if err != nil {
		return err
	}
	separator := func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) }
	for _, prefix := range strings.FieldsFunc(prefixes, separator) {
		if strings.HasPrefix(file, prefix) {
			return nil
		}
	}
	return fmt.Errorf("maillog_file value '%s' does not match any prefix in maillog_file_prefixes", file)
}
