package mail

import (
	"bytes"
	"regexp"
	"testing"

	"scache/compat/testbed"
)

// TestRun is "scachectl run", with fewer messages.
func TestRun(t *testing.T) {
	t.Parallel()
	testbed.Reference(t)
	var out bytes.Buffer
	if err := Run(t.Context(), RunOptions{Scached: testbed.Scached(t), Messages: 40, Senders: 3, Out: &out}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, form := range []string{
		`Postfix [0-9.]+, .*: 40 messages to one destination, 3 senders at a time\.`,
		`(?m)^ +scached +40 +[0-9]+ +[0-9]+ +[0-9.]+% *$`,
		`(?m)^ +the reference +40 +[0-9]+ +[0-9]+ +[0-9.]+% *$`,
		`Statistics of scached:\n  start interval .*\n  domain lookup hits=`,
		`Statistics of the reference:\n  start interval .*\n  domain lookup hits=`,
	} {
		if !regexp.MustCompile(form).MatchString(out.String()) {
			t.Errorf("no %q in:\n%s", form, out.String())
		}
	}
}

// Where there is no Postfix, the same table for our daemon alone.
func TestRunStandIn(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := runStandIn(t.Context(), RunOptions{Scached: testbed.Scached(t), Messages: 200, Senders: 5, Out: &out}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, form := range []string{
		`(?m)^ +scached +200 +[1-9] +19[0-9] +[0-9.]+% *$`,
		`(?m)^  domain lookup hits=19[0-9] miss=[1-9] success=9[0-9]%$`,
	} {
		if !regexp.MustCompile(form).MatchString(out.String()) {
			t.Errorf("no %q in:\n%s", form, out.String())
		}
	}
}
