package daemon

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A death is a start that ends in a fatal error. In texts DIR stands for the
// directory of the world; see there.
type death struct {
	name   string
	maincf string
	owncf  string // the service's own file, if not empty
	env    []string
	args   []string // after "-l -t unix", unless bare
	bare   bool
	want   []string // the log
	stderr string   // what standard error says, with -V
	ours   bool     // the reference does something else
}

var deaths = []death{
	{name: "no options", bare: true, want: []string{"fatal: service scache requires a process limit of 1"}},
	{name: "no process limit, other name", bare: true, args: []string{"-n", "other"}, want: []string{"fatal: service other requires a process limit of 1"}},
	{name: "no transport", bare: true, args: []string{"-l"}, want: []string{"fatal: no transport type specified"}},
	{name: "unknown transport", args: []string{"-t", "Tcp"}, want: []string{"fatal: unsupported transport type: Tcp"}},
	{
		name: "transport inet", args: []string{"-t", "INET"}, ours: true,
		want: []string{"fatal: transport type INET cannot carry file descriptors: specify unix for service scache in master.cf"},
	},
	{
		name: "transport pass", args: []string{"-t", "pass", "-n", "x"}, ours: true,
		want: []string{"fatal: transport type pass cannot carry file descriptors: specify unix for service x in master.cf"},
	},
	{name: "invalid option", args: []string{"-Z"}, want: []string{"fatal: invalid option: Z"}},
	{name: "invalid option of eight bits", args: []string{"-\xe4"}, want: []string{"fatal: invalid option: ?"}},
	{name: "option without value", args: []string{"-o"}, want: []string{"fatal: invalid option: o"}},
	{name: "no sockets", args: []string{"-s0"}, want: []string{"fatal: invalid socket_count: 0"}},
	{
		name: "assignment without equals sign", args: []string{"-o", "foo"},
		want: []string{`fatal: invalid "-o foo" option value: missing '=' after attribute name`},
	},
	{name: "generation", env: []string{"GENERATION=xyz"}, want: []string{"fatal: bad generation: xyz"}},
	{name: "empty generation", env: []string{"GENERATION="}, want: []string{"fatal: bad generation: "}},
	{
		name: "options are read before parameters, and main.cf before them", args: []string{"-o", "max_idle=0", "-Z"}, maincf: "a=1\na=2\n",
		want: []string{"warning: DIR/conf/main.cf, line 4: overriding earlier entry: a=1", "fatal: invalid option: Z"},
	},
	{
		name: "no configuration", env: []string{"MAIL_CONFIG=DIR/nothing"},
		want: []string{"fatal: open DIR/nothing/main.cf: No such file or directory"},
	},
	{
		name: "configuration directory instead of a file", env: []string{"MAIL_CONFIG=DIR/odd"},
		want: []string{"fatal: open DIR/odd/main.cf: Not a directory"},
	},
	{
		name: "names that are not the file's", args: []string{"-n", "service"},
		maincf: "process_name = p\nconfig_directory = c\nservice_name = s\nprocess_id = i\nmax_idle = $process_name $config_directory $service_name $process_id\n",
		want: []string{
			"warning: DIR/conf/main.cf, line 3: overriding earlier entry: process_name=scache",
			"warning: DIR/conf/main.cf, line 4: overriding earlier entry: config_directory=DIR/conf",
			"fatal: parameter max_idle: bad time value or unit: p c service i",
		},
	},
	{
		name: "names", args: []string{"-i", "x$process_name $service_name $config_directory $mail_name"},
		want: []string{"fatal: parameter max_idle: bad time value or unit: xscache scache DIR/conf Postfix"},
	},
	{
		name: "queue directory, where the log service should be, too", args: []string{"-V", "-o", "queue_directory=/nonexistent/\x01"},
		stderr: `postfix/scache: fatal: chdir("/nonexistent/?"): No such file or directory` + "\n",
	},
	{
		name: "mail owner", args: []string{"-o", "mail_owner=nobody-here"},
		want: []string{"fatal: file DIR/conf/main.cf: parameter mail_owner: unknown user name value: nobody-here"},
	},
	{
		name: "mail owner is root", args: []string{"-o", "mail_owner=root"},
		want: []string{"fatal: file DIR/conf/main.cf: parameter mail_owner: user root has privileged user ID"},
	},
	{
		name: "syslog facility", args: []string{"-o", "syslog_facility=Mail"},
		want: []string{"fatal: file DIR/conf/main.cf: parameter syslog_facility: unrecognized value: Mail"},
	},
	{name: "no syslog facility", args: []string{"-o", "syslog_facility="}, want: []string{"fatal: bad string length 0 < 1: syslog_facility = "}},
	{name: "no syslog name", args: []string{"-o", "syslog_name="}, want: []string{"fatal: bad string length 0 < 1: syslog_name = "}},
	{name: "no queue directory", args: []string{"-o", "queue_directory="}, want: []string{"fatal: bad string length 0 < 1: queue_directory = "}},
	{name: "no mail owner", args: []string{"-o", "mail_owner="}, want: []string{"fatal: bad string length 0 < 1: mail_owner = "}},
	{name: "no log service", args: []string{"-o", "postlog_service_name="}, want: []string{"fatal: bad string length 0 < 1: postlog_service_name = "}},
	{
		name: "compatibility level", args: []string{"-o", "compatibility_level=1.x"},
		want: []string{`fatal: malformed compatibility level syntax: "1.x"`},
	},
	{name: "smtputf8", args: []string{"-o", "smtputf8_enable=ja"}, want: []string{"fatal: bad boolean configuration: smtputf8_enable = ja"}},
	{
		name: "host name", args: []string{"-o", "myhostname=a..b"},
		want: []string{"warning: valid_hostname: misplaced delimiter: a..b", "fatal: file DIR/conf/main.cf: parameter myhostname: bad parameter value: a..b"},
	},
	{
		name: "domain name", args: []string{"-o", "myhostname=a.b", "-o", "mydomain=-"},
		want: []string{"warning: valid_hostname: misplaced hyphen: -", "fatal: file DIR/conf/main.cf: parameter mydomain: bad parameter value: -"},
	},
	{
		name: "log file", args: []string{"-o", "maillog_file=/x", "-o", "maillog_file_prefixes=/y, ,/z"},
		want: []string{"fatal: maillog_file value '/x' does not match any prefix in maillog_file_prefixes"},
	},
	{
		name: "of two mistakes the first one in Postfix's order", maincf: "daemon_timeout = x\nmail_owner = root\n", args: []string{"-i", "y", "-m", "z"},
		want: []string{"fatal: bad numerical configuration: max_use = z"},
	},
	{name: "times", maincf: "daemon_timeout = 0\nipc_timeout = 5y\n", want: []string{"fatal: parameter ipc_timeout: bad time value or unit: 5y"}},
	{name: "daemon_timeout", maincf: "daemon_timeout = 0\n", want: []string{"fatal: invalid daemon_timeout: 0 (min 1)"}},
	{name: "max_use", args: []string{"-m", "0"}, want: []string{"fatal: invalid max_use parameter value 0 < 1"}},
	{
		name: "the service's parameters come late", bare: true, maincf: "connection_cache_ttl_limit = -1\n",
		want: []string{"fatal: parameter connection_cache_ttl_limit: bad time value or unit: -1"},
	},
	{
		name: "connection_cache_status_update_time", maincf: "connection_cache_status_update_time = \n",
		want: []string{"fatal: parameter connection_cache_status_update_time: bad time value or unit: "},
	},
	{
		name: "truncated reference", args: []string{"-i", "${nope"},
		want: []string{`warning: truncated macro reference: "${nope"`, "fatal: dictionary mail_dict: macro processing error"},
	},
	{
		name: "eight bits by default", args: []string{"-i", "ä"},
		want: []string{"fatal: parameter max_idle: bad time value or unit: ??"},
	},
	{
		name: "eight bits with SMTPUTF8", maincf: "compatibility_level = 3.6\n", args: []string{"-i", "ä\xff"},
		want: []string{"fatal: parameter max_idle: bad time value or unit: ä?"},
	},
	{
		name: "choice", args: []string{"-o", "test_kind=four"}, ours: true,
		want: []string{"fatal: parameter test_kind: unknown value: four (specify one, two or three)"},
	},
	{name: "boolean", args: []string{"-o", "test_check=1"}, ours: true, want: []string{"fatal: bad boolean configuration: test_check = 1"}},
	{
		name: "too small", args: []string{"-o", "test_clients=9"}, ours: true,
		want: []string{"fatal: invalid test_clients parameter value 9 < 10"},
	},
	{
		name: "not a number", args: []string{"-o", "test_clients=many"}, ours: true,
		want: []string{"fatal: bad numerical configuration: test_clients = many"},
	},
	{
		name: "in the service's own file", owncf: "test_clients = many\n", maincf: "test_clients = 11\n", ours: true,
		want: []string{"fatal: file DIR/conf/own.cf: bad numerical configuration: test_clients = many"},
	},
	{
		name: "unknown, twice, and no assignment in the service's own file", owncf: "test_client = 10\nmax_idle = 1s\nmax_idle = 2s\nword\n", ours: true,
		want: []string{
			"warning: DIR/conf/own.cf, line 1: unknown parameter: test_client",
			"warning: DIR/conf/own.cf, line 3: overriding earlier entry: max_idle=1s",
			"fatal: DIR/conf/own.cf, line 4: missing '=' after attribute name: \"word\"",
		},
	},
	{
		name: "a descriptor too many", args: []string{"-s", "2"}, ours: true,
		want: []string{"fatal: descriptor 107 is not a listening socket: only master(8) can start this program"},
	},
	{
		name: "standard error has only what comes after -V", maincf: "a=1\na=2\n", args: []string{"-VZ"},
		want: []string{
			"warning: DIR/conf/main.cf, line 4: overriding earlier entry: a=1",
			"fatal: invalid option: Z",
		},
		stderr: "postfix/scache: fatal: invalid option: Z\n",
	},
	{
		name: "standard error has the name of the system", env: []string{"MAIL_LOGTAG=first"}, maincf: "syslog_name = second\n",
		args:   []string{"-V", "-s", "0"},
		want:   []string{"fatal: invalid socket_count: 0"},
		stderr: "first/scache: fatal: invalid socket_count: 0\n",
	},
	{
		name: "standard error has the configured name of the system", env: []string{"MAIL_LOGTAG=first"}, maincf: "syslog_name = second\n",
		args: []string{"-V"}, bare: true,
		want:   []string{"fatal: service scache requires a process limit of 1"},
		stderr: "second/scache: fatal: service scache requires a process limit of 1\n",
	},
}

func (d *death) command() []string {
	if d.bare {
		return d.args
	}
	return append([]string{"-l", "-t", "unix"}, d.args...)
}

func (d *death) world(t *testing.T) *world {
	w := newWorld(t, d.maincf)
	if err := os.WriteFile(filepath.Join(w.dir, "odd"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if d.owncf != "" {
		w.write(t, "conf/own.cf", d.owncf)
	}
	return w
}

func TestDeaths(t *testing.T) {
	for _, test := range deaths {
		t.Run(test.name, func(t *testing.T) {
			w := test.world(t)
			sys := testSystem(t, w, test.env)
			status := -1
			sys.exit = func(s int) { status = s }
			stderr := captureStderr(t, sys)
			s := newStarter(sys, append([]string{"/some/where/scache"}, test.command()...), testService())
			defer s.Log.close(t)
			err := s.run()
			if err == nil {
				t.Fatal("it lives")
			}
			s.Log.Fatal(err.Error())
			if status != 1 {
				t.Errorf("exit status %d", status)
			}
			eventually(t, "the log", func() bool { return len(w.log.all()) >= len(test.want) })
			if diff := cmp.Diff(w.expandAll(test.want), w.log.texts(), cmpEmpty); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
			if got := stderr(); got != test.stderr {
				t.Errorf("standard error %q, want %q", got, test.stderr)
			}
		})
	}
}

const reference = "/usr/lib/postfix/sbin/scache"

// TestReferenceDies checks that the reference dies in the same words, and that
// it expands every value as we do.
func TestReferenceDies(t *testing.T) {
	if _, err := os.Stat(reference); err != nil {
		unavailable(t, "there is no "+reference+" to compare with")
	}
	if os.Geteuid() != 0 {
		unavailable(t, "only root can start the reference")
	}
	t.Parallel() // a fatal error takes the reference a second
	all := append([]death(nil), deaths...)
	for _, test := range evalTests {
		all = append(all, evalDeath(test))
	}
	for _, test := range timeTests {
		all = append(all, timeDeath(test.value))
	}
	worlds := make([]*world, len(all))
	for i := range all {
		worlds[i] = all[i].world(t)
	}
	inParallel(len(all), func(i int) {
		test, w := all[i], worlds[i]
		if test.ours {
			return
		}
		cmd := w.command(t, reference, test.command(), test.env)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if err := cmd.Run(); cmd.ProcessState.ExitCode() != 1 {
			t.Errorf("%s: %v", test.name, err)
		}
		if stderr.String() != test.stderr {
			t.Errorf("%s: standard error %q, want %q", test.name, stderr.String(), test.stderr)
		}
		waitFor(func() bool { return len(w.log.all()) >= len(test.want) })
		if diff := cmp.Diff(w.expandAll(test.want), w.log.texts(), cmpEmpty); diff != "" {
			t.Errorf("%s: log (-want +got):\n%s", test.name, diff)
		}
	})
}

// evalDeath makes the expansion of a value visible: as a bad time.
func evalDeath(test evalTest) death {
	d := death{name: test.String(), maincf: configText(evalValues)}
	value := "x" + test.value
	d.args = []string{"-o", "max_idle=" + value}
	_, value, _ = splitNameValue("max_idle=" + value)
	c, warnings := evalConfig(evalValues)
	result, err := c.eval(value)
	for _, text := range *warnings {
		d.want = append(d.want, "warning: "+text)
	}
	last := "parameter max_idle: bad time value or unit: " + result
	if err != nil {
		last = err.Error()
	}
	d.want = append(d.want, "fatal: "+last)
	return d
}

// timeDeath has a bad time after the one in question, so that it dies of one of
// the two.
func timeDeath(value string) death {
	d := death{name: "time " + value, args: []string{"-o", "max_idle=" + value, "-o", "ipc_timeout=never"}}
	_, value, _ = splitNameValue("max_idle=" + value)
	c, warnings := evalConfig(map[string]string{"max_idle": value})
	_, err := c.seconds("max_idle", "100s", 1)
	for _, text := range *warnings {
		d.want = append(d.want, "warning: "+text)
	}
	last := "parameter ipc_timeout: bad time value or unit: never"
	if err != nil {
		last = err.Error()
	}
	d.want = append(d.want, "fatal: "+last)
	return d
}
