package master

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseLine(t *testing.T) {
	for _, test := range []struct {
		name  string
		parse func(string) LogLine
		raw   string
		want  LogLine
	}{
		{"standard error", parseStderrLine, "postfix/scache: warning: x: y", LogLine{Tag: "postfix/scache", Text: "warning: x: y"}},
		{"a crash", parseStderrLine, "panic: runtime error: x", LogLine{Tag: "panic", Text: "runtime error: x"}},
		{"no tag", parseStderrLine, "goroutine 1 [running]:", LogLine{Text: "goroutine 1 [running]:"}},
		{"file", parseFileLine, "Nov  1 09:08:07 mail postfix/smtp[12]: A: to=<b>", LogLine{Tag: "postfix/smtp", PID: 12, Text: "A: to=<b>"}},
		{"file, tag of three parts", parseFileLine, "Nov 21 19:28:28 mail postfix/submission/smtpd[12]: x", LogLine{Tag: "postfix/submission/smtpd", PID: 12, Text: "x"}},
		{"file, too short", parseFileLine, "Nov", LogLine{Text: "Nov"}},
		{"syslog", parseSyslogLine, "<22>Nov 21 19:28:28 postfix/scached[12]: x", LogLine{Tag: "postfix/scached", PID: 12, Text: "x"}},
		{"syslog, no priority", parseSyslogLine, "x", LogLine{Text: "x"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.want.Raw = test.raw
			if diff := cmp.Diff(test.want, test.parse(test.raw)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestLogWait(t *testing.T) {
	log := NewLog()
	log.add(LogLine{Raw: "one"})
	mark := log.Mark()
	waited := make(chan error, 1)
	go func() {
		_, err := log.WaitSince(mark, "one", 10*time.Second)
		waited <- err
	}()
	log.add(LogLine{Raw: "two"})
	log.add(LogLine{Raw: "one more"})
	if err := <-waited; err != nil {
		t.Error(err)
	}
	if line, err := log.Wait("on", time.Second); err != nil || line.Raw != "one" {
		t.Errorf("%q, %v", line.Raw, err)
	}
	if _, err := log.Wait("three", time.Millisecond); err == nil || !strings.Contains(err.Error(), "one more") {
		t.Errorf("error %v, want one that quotes the log", err)
	}
}
