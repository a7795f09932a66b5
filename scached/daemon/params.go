package daemon

import (
	"fmt"
	"strings"
	"time"
)

// Params are the parameters of main.cf and of -o that the server needs, all
// checked.
type Params struct {
	QueueDirectory string // queue_directory
	MailOwner      string // mail_owner
	MyHostname     string // myhostname
	SyslogFacility string // syslog_facility
	SyslogName     string // syslog_name
	MaillogFile    string // maillog_file: log to the postlog service if not empty
	PostlogService string // postlog_service_name
	SMTPUTF8       bool   // smtputf8_enable: UTF-8 is logged as it is

	TTLLimit         time.Duration // connection_cache_ttl_limit, whole seconds
	StatisticsPeriod time.Duration // connection_cache_status_update_time
	MaxIdle          time.Duration // max_idle: exit when no client was there for so long
	IPCTimeout       time.Duration // ipc_timeout: for a client in the middle of a request
	DaemonTimeout    time.Duration // daemon_timeout: for an event loop that does not turn

	Protocol                string // scached_protocol_version: 3.6, 2.3, 2.2 or 20040720
	LiveCheck               bool   // scached_live_check: look at a session before it is handed out
	StringLimit             int    // scached_string_limit: bytes of a name or value
	SessionLimit            int    // scached_session_limit: sessions in all
	EndpointSessionLimit    int    // scached_endpoint_session_limit: sessions of one endpoint
	BindingLimit            int    // scached_binding_limit: bindings of destinations in all
	DestinationBindingLimit int    // scached_destination_binding_limit: bindings of one destination
	MemoryLimit             int    // scached_memory_limit: bytes of text of sessions, and of bindings
	ClientLimit             int    // scached_client_limit: clients at a time
	WarningLimit            int    // scached_warning_limit: warnings a second in the log, 0 for any number
}

// A paramReader collects parameters until the first error.
type paramReader struct {
	*config
	err error
}

func (r *paramReader) str(target *string, name, fallback string, least int) {
	if r.err == nil {
		*target, r.err = r.config.str(name, fallback, least)
	}
}

func (r *paramReader) integer(target *int, name, fallback string, least int) {
	if r.err == nil {
		*target, r.err = r.config.integer(name, fallback, least)
	}
}

func (r *paramReader) boolean(target *bool, name, fallback string) {
	if r.err == nil {
		*target, r.err = r.config.boolean(name, fallback)
	}
}

func (r *paramReader) seconds(target *time.Duration, name, fallback string) {
	if r.err == nil {
		*target, r.err = r.config.seconds(name, fallback)
	}
}

func (r *paramReader) check(check func() error) {
	if r.err == nil {
		r.err = check()
	}
}

// readGeneral reads what every Postfix daemon reads, in the order in which
// mail_params_init does (src/global/mail_params.c), so that of two mistakes the
// same one is reported. Of the parameters that only other programs use none is
// read. The log learns its facility as soon as it is known.
//
// An error is the text that the reference dies with.
func (p *Params) readGeneral(c *config, system func() (string, error), log *Log) error {
	var ignored string
	var level string
	r := paramReader{config: c}
	r.str(&level, "compatibility_level", "0", 0)
	r.check(func() error {
		_, err := compatibilityLevel(level)
		return err
	})
	r.str(&p.SyslogFacility, "syslog_facility", "mail", 1)
	r.check(func() error { return log.setFacility(c, p.SyslogFacility) })
	r.str(&p.MaillogFile, "maillog_file", "", 0)
	r.str(&ignored, "maillog_file_prefixes", "/var, /dev/stdout", 1)
	r.str(&p.PostlogService, "postlog_service_name", "postlog", 1)
	r.boolean(&p.SMTPUTF8, "smtputf8_enable", "${{$compatibility_level} <level {1} ? {no} : {yes}}")
	r.check(func() error {
		log.setUTF8(p.SMTPUTF8)
		return nil
	})
	r.check(func() (err error) {
		p.MyHostname, err = c.hostname(system)
		return err
	})
	r.str(&ignored, "mail_name", "Postfix", 1)
	r.str(&p.SyslogName, "syslog_name", defaultSyslogName, 1)
	r.str(&p.MailOwner, "mail_owner", "postfix", 1)
	r.str(&p.QueueDirectory, "queue_directory", "/var/spool/postfix", 1)
	var maxUse int // checked like everywhere in Postfix; this service does not count its clients
	r.integer(&maxUse, "max_use", "100", 1)
	r.seconds(&p.MaxIdle, "max_idle", "100s")
	r.seconds(&p.IPCTimeout, "ipc_timeout", "3600s")
	r.seconds(&p.DaemonTimeout, "daemon_timeout", "18000s")
	return r.err
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

// readService reads what is this service's own: the two parameters of the
// reference, then those that only we have.
func (p *Params) readService(c *config) error {
	r := paramReader{config: c}
	r.seconds(&p.TTLLimit, "connection_cache_ttl_limit", "2s")
	r.seconds(&p.StatisticsPeriod, "connection_cache_status_update_time", "600s")
	r.str(&p.Protocol, "scached_protocol_version", "3.6", 0)
	r.check(p.checkProtocol)
	r.boolean(&p.LiveCheck, "scached_live_check", "yes")
	r.integer(&p.StringLimit, "scached_string_limit", "65536", 4096)
	r.integer(&p.SessionLimit, "scached_session_limit", "20000", 1)
	r.integer(&p.EndpointSessionLimit, "scached_endpoint_session_limit", "10000", 1)
	r.integer(&p.BindingLimit, "scached_binding_limit", "20000", 1)
	r.integer(&p.DestinationBindingLimit, "scached_destination_binding_limit", "1000", 1)
	r.integer(&p.MemoryLimit, "scached_memory_limit", "67108864", 65536)
	r.integer(&p.ClientLimit, "scached_client_limit", "10000", 1)
	r.integer(&p.WarningLimit, "scached_warning_limit", "100", 0)
	return r.err
}

func (p *Params) checkProtocol() error {
	switch p.Protocol {
	case "3.6", "2.3", "2.2", "20040720":
		return nil
	}
	return fmt.Errorf("parameter scached_protocol_version: unknown version: %s (specify 3.6, 2.3, 2.2 or 20040720)", p.Protocol)
}
