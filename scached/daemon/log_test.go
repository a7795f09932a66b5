package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

var logTime = time.Date(2024, 11, 2, 9, 8, 7, 0, time.Local)

func testLog() *Log {
	l := newLog()
	l.pid = 4711
	l.now = func() time.Time { return logTime }
	l.exit = func(int) { panic("exit") }
	l.wait = func(time.Duration) {}
	return l
}

func testSocket(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sc")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "log")
}

func (l *Log) close(t *testing.T) {
	t.Helper()
	if l.sock.fd >= 0 {
		if err := unix.Close(l.sock.fd); err != nil {
			t.Error(err)
		}
	}
}

func TestLogRecords(t *testing.T) {
	service := bindLog(t, testSocket(t))
	long := strings.Repeat("x", 2000)
	syslog := func(l *Log) { l.useSyslog("postfix/scached", service.path) }
	postlog := func(l *Log) { l.usePostlog("postfix/scached", "host.example.com", service.path) }
	config := newConfig("DIR", nil)
	tests := []struct {
		name string
		open func(*Log)
		do   func(*Log)
		want []string
	}{
		{
			"syslog", syslog,
			func(l *Log) { l.Info("one"); l.Warning("two"); l.Error("three") },
			[]string{
				"<22>Nov  2 09:08:07 postfix/scached[4711]: one",
				"<20>Nov  2 09:08:07 postfix/scached[4711]: warning: two",
				"<19>Nov  2 09:08:07 postfix/scached[4711]: error: three",
			},
		},
		{
			"postlog", postlog,
			func(l *Log) { l.Info("one"); l.Warning("two"); l.Error("three") },
			[]string{
				"Nov 02 09:08:07 host postfix/scached[4711]: one",
				"Nov 02 09:08:07 host postfix/scached[4711]: warning: two",
				"Nov 02 09:08:07 host postfix/scached[4711]: error: three",
			},
		},
		{
			"facility", syslog,
			func(l *Log) {
				for _, name := range []string{"local7", "kern", "daemon"} {
					if err := l.setFacility(config, name); err != nil {
						t.Error(err)
					}
					l.Info(name)
				}
			},
			[]string{
				"<190>Nov  2 09:08:07 postfix/scached[4711]: local7",
				"<22>Nov  2 09:08:07 postfix/scached[4711]: kern",
				"<30>Nov  2 09:08:07 postfix/scached[4711]: daemon",
			},
		},
		{
			"a tag with a process number, syslog",
			func(l *Log) { l.useSyslog("a[b]/scached", service.path) },
			func(l *Log) { l.Info("x") },
			[]string{"<22>Nov  2 09:08:07 a[b]/scached: x"},
		},
		{
			"a tag with a process number, postlog",
			func(l *Log) { l.usePostlog("a[b]/scached", "h", service.path) },
			func(l *Log) { l.Info("x") },
			[]string{"Nov 02 09:08:07 h a[b]/scached[4711]: x"},
		},
		{
			"long, syslog", syslog,
			func(l *Log) { l.Info(long); l.Warning(long + "y") },
			[]string{
				"<22>Nov  2 09:08:07 postfix/scached[4711]: " + long,
				"<20>Nov  2 09:08:07 postfix/scached[4711]: warning: " + long,
			},
		},
		{
			"long, postlog", postlog,
			func(l *Log) { l.Error(long + "y") },
			[]string{"Nov 02 09:08:07 host postfix/scached[4711]: error: " + long},
		},
		{
			"unprintable", postlog,
			func(l *Log) {
				l.Info("a\x00\n\x7f\tü\xff")
				l.setUTF8(true)
				l.Info("a\x00\n\x7f\tü\xff")
			},
			[]string{
				"Nov 02 09:08:07 host postfix/scached[4711]: a???????",
				"Nov 02 09:08:07 host postfix/scached[4711]: a????ü?",
			},
		},
		{
			"empty", postlog, func(l *Log) { l.Info("") },
			[]string{"Nov 02 09:08:07 host postfix/scached[4711]: "},
		},
		{
			"from one service to the other", syslog,
			func(l *Log) { l.Info("x"); postlog(l); l.Info("y") },
			[]string{
				"<22>Nov  2 09:08:07 postfix/scached[4711]: x",
				"Nov 02 09:08:07 host postfix/scached[4711]: y",
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := testLog()
			defer l.close(t)
			test.open(l)
			test.do(l)
			if diff := cmp.Diff(test.want, service.drain()); diff != "" {
				t.Errorf("records (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"":                 "",
		" ~":               " ~",
		"\x1f\x7f\r":       "???",
		"\xc2":             "?",
		"\xc2x":            "?x",
		"\xc1\x80":         "??",
		"\xc2\x80\x80":     "\xc2\x80\x80",
		"\xfe\x80":         "\xfe\x80",
		"\xff\x80":         "??",
		"\x80ä€😀":          "?ä€😀",
		"\xe2\x82\xe2\x82": "\xe2\x82\xe2\x82",
	} {
		if got := string(printable([]byte(in), true)); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
		ascii := strings.Map(func(r rune) rune { return r }, string(printable([]byte(in), false)))
		if len(ascii) != len(in) || strings.ContainsFunc(ascii, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%q: got %q without UTF-8", in, ascii)
		}
	}
}

func TestFatal(t *testing.T) {
	service := bindLog(t, testSocket(t))
	l := testLog()
	defer l.close(t)
	l.useSyslog("t", service.path)
	var calls []any
	l.wait = func(d time.Duration) { calls = append(calls, d) }
	l.exit = func(status int) { calls = append(calls, status) }
	l.Fatal("one")
	l.Fatal("two")
	if diff := cmp.Diff([]any{time.Second, 1, time.Second, 1}, calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"<18>Nov  2 09:08:07 t[4711]: fatal: one"}, service.drain()); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

// The log service may come, go, and come again under the same name.
func TestLogServiceComesAndGoes(t *testing.T) {
	path := testSocket(t)
	l := testLog()
	defer l.close(t)
	l.useSyslog("t", path)
	l.Info("nobody is there")
	l.Warning("still nobody")

	service := bindLog(t, path)
	l.Info("one")
	want := []string{
		"<20>Nov  2 09:08:07 t[4711]: warning: log lines lost: 2",
		"<22>Nov  2 09:08:07 t[4711]: one",
	}
	if diff := cmp.Diff(want, service.drain()); diff != "" {
		t.Errorf("when it came (-want +got):\n%s", diff)
	}

	fd := l.sock.fd
	service.close()
	service = bindLog(t, path)
	l.Info("two")
	if diff := cmp.Diff([]string{"<22>Nov  2 09:08:07 t[4711]: two"}, service.drain()); diff != "" {
		t.Errorf("when it was replaced (-want +got):\n%s", diff)
	}

	service.close()
	l.Info("lost")
	service = bindLog(t, path)
	l.Info("three")
	want = []string{"<22>Nov  2 09:08:07 t[4711]: three"} // that lines are lost was said in this second
	l.now = func() time.Time { return logTime.Add(time.Second) }
	l.Info("four")
	want = append(want,
		"<20>Nov  2 09:08:08 t[4711]: warning: log lines lost: 1",
		"<22>Nov  2 09:08:08 t[4711]: four",
	)
	if diff := cmp.Diff(want, service.drain()); diff != "" {
		t.Errorf("when it came back (-want +got):\n%s", diff)
	}
	if l.sock.fd != fd {
		t.Error("another descriptor was needed")
	}
}

// Outside the jail and inside, the service is found from the working directory.
func TestLogServiceMoves(t *testing.T) {
	path := testSocket(t)
	service := bindLog(t, path)
	l := testLog()
	defer l.close(t)
	l.useSyslog("t", path)
	l.reachAt(path + "2")
	l.Info("old")
	if diff := cmp.Diff([]string{"<22>Nov  2 09:08:07 t[4711]: old"}, service.drain()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	service.close()
	service = bindLog(t, path+"2")
	l.Info("new")
	if diff := cmp.Diff([]string{"<22>Nov  2 09:08:07 t[4711]: new"}, service.drain()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLogToStderr(t *testing.T) {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pipe[0])
	service := bindLog(t, testSocket(t))
	l := testLog()
	defer l.close(t)
	l.useSyslog("postfix/scached", service.path)
	l.useStderr("first", pipe[1])
	l.useStderr("other", pipe[1])
	long := strings.Repeat("x", 10000)
	l.Info("a\n")
	l.Warning(long)
	want := "other: a?\nother: warning: " + long + "\n"
	if got := readText(t, pipe[0], len(want)); got != want {
		t.Errorf("standard error %q", got)
	}
	if got := len(service.drain()); got != 2 {
		t.Errorf("%d records for the log service, want 2", got)
	}
}

func TestLogDoesNotAllocate(t *testing.T) {
	service := bindLog(t, testSocket(t))
	l := testLog()
	l.now = time.Now
	defer l.close(t)
	l.usePostlog("postfix/scached", "host", service.path)
	l.Warning(strings.Repeat("x", 3000))
	service.drain()
	buf := make([]byte, 100)
	if n := testing.AllocsPerRun(100, func() {
		l.Info("scache socket: wanted attribute: request")
		unix.Read(service.fd, buf)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
