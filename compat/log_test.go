package compat

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
	log := newLog()
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

func TestTally(t *testing.T) {
	var lines []LogLine
	for _, raw := range []string{
		"Nov 21 19:28:28 m postfix/smtp[1]: A: to=<b>, relay=r, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 Ok)",
		"Nov 21 19:28:28 m postfix/smtp[1]: A: to=<b>, relay=r, conn_use=2, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 Ok)",
		"Nov 21 19:28:28 m postfix/smtp[1]: A: to=<b>, relay=none, delay=0, delays=0/0/0/0, dsn=4.0.0, status=deferred (x)",
		"Nov 21 19:28:28 m postfix/smtp[1]: A: to=<b>, relay=none, delay=0, delays=0/0/0/0, dsn=5.0.0, status=bounced (x)",
		"Nov 21 19:28:28 m postfix/smtp[1]: warning: problem talking to service private/scache: Broken pipe",
		"Nov 21 19:28:28 m postfix/smtp[1]: warning: disabling connection caching",
		"Nov 21 19:28:28 m postfix/anvil[2]: statistics: max connection rate 1/60s",
		"Nov 21 19:28:28 m postfix/scached[3]: statistics: start interval Nov 21 19:28:28",
		"Nov 21 19:28:28 m postfix/scached[3]: fatal: x",
	} {
		lines = append(lines, parseFileLine(raw))
	}
	want := Tally{
		Sent:       2,
		Reused:     1,
		Unsent:     2,
		Statistics: []string{"start interval Nov 21 19:28:28"},
		Problems:   lines[4:6],
		Warnings:   []LogLine{lines[4], lines[5], lines[8]},
	}
	got := TallyOf(lines, "scached")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tally (-want +got):\n%s", diff)
	}
	if share := got.ReusedShare(); share != 0.5 {
		t.Errorf("share of reused deliveries %v, want 0.5", share)
	}
}
