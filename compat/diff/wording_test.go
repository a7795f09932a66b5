package diff

import (
	"testing"

	"scache/scached/install"
)

// What each version says is on record in testdata/transcripts/words.json; here is
// that it passes for that version, and for no other.
func TestWordsOfVersions(t *testing.T) {
	lines := func(lines ...string) []string { return lines }
	const (
		noDescriptor = "warning: scache_save_endp_service: unable to receive file descriptor"
		unexpected   = "warning: unexpected attribute x"
	)
	for _, test := range []struct {
		name            string
		version         string
		reference, ours []string
		want            string
	}{
		{"no word of what is expected, 2.4", "2.4.16", lines(unexpected + " in input from scache socket"), lines(unexpected + " from scache socket (expecting: request)"), "wording"},
		{"what is expected, in brackets", "2.4.16", lines(unexpected + " in input from scache socket"), lines(unexpected + " from scache socket (expecting: (list terminator))"), "wording"},
		{"no word of what is expected, 2.5", "2.5.17", lines(unexpected + " in input from scache socket"), lines(unexpected + " from scache socket (expecting: request)"), ""},
		{"no word of what is expected, unknown version", "", lines(unexpected + " in input from scache socket"), lines(unexpected + " from scache socket (expecting: request)"), ""},
		{"another attribute", "2.3", lines("warning: unexpected attribute y in input from scache socket"), lines(unexpected + " from scache socket (expecting: request)"), ""},
		{"no reason, 2.2", "2.2", lines(noDescriptor), lines(noDescriptor + ": Application error"), "wording"},
		{"no reason, snapshot", "2.2-20040720", lines(noDescriptor), lines(noDescriptor + ": Application error"), "wording"},
		{"no reason, 2.2.5", "2.2.5", lines(noDescriptor), lines(noDescriptor + ": Application error"), ""},
		{"a stale reason", "2.3", lines(unexpected+" in input from scache socket", noDescriptor+": Success"),
			lines(unexpected+" from scache socket (expecting: request)", noDescriptor+": Application error"), "wording"},
		{"UTF-8 that is none, 3.9", "3.9.14", lines(`warning: unrecognized request: "é?x??", ignored`), lines("warning: unrecognized request: \"é\xa9x\xe2\x82\", ignored"), "wording"},
		{"UTF-8 that is none, 3.8", "3.8.14", lines(`warning: unrecognized request: "??", ignored`), lines("warning: unrecognized request: \"\xe2\x82\", ignored"), ""},
		{"fewer question marks, 3.12", "3.12", lines(`warning: unrecognized request: "?", ignored`), lines("warning: unrecognized request: \"\xe2\x82\", ignored"), ""},
		{"an end that is none to speak of, 2.3", "2.3", lines("warning: premature end-of-input on scache socket while reading input attribute name", "a"), lines("a"), "wording"},
		{"an end that is none to speak of, 2.4", "2.4.0", lines("warning: premature end-of-input on scache socket while reading input attribute name", "a"), lines("a"), ""},
		{"the rest of a message, 2.2", "2.2", lines(unexpected + " in input from scache socket"),
			lines(unexpected+" from scache socket (expecting: request)", "warning: missing attribute request in input from scache socket"), "wording"},
		{"the rest of a message, 2.3", "2.3", lines(unexpected + " in input from scache socket"),
			lines(unexpected+" from scache socket (expecting: request)", "warning: missing attribute request in input from scache socket"), ""},
		{"a line that ours does not have", "2.2", lines("a", unexpected+" in input from scache socket"), lines("a"), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if name := logName(test.version, test.reference, test.ours); name != test.want {
				t.Errorf("named %q, want %q", name, test.want)
			}
		})
	}
}

// A reference says its version itself, and what does not is taken for the first
// version of its dialect.
func TestVersionOf(t *testing.T) {
	theirs, own := reference(t), ours(t)
	installed, err := install.FindInstalled()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, program, dialect, want string }{
		{"the installed one", theirs, "", installed.Version},
		{"it knows better", theirs, "2.2", installed.Version},
		{"says nothing", own, "2.3", "2.3"},
		{"says nothing, the oldest", own, "20040720", "2.2-20040720"},
		{"says nothing, the newest", own, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, err := versionOf(test.program, test.dialect); err != nil || got != test.want {
				t.Errorf("%q, %v, want %q", got, err, test.want)
			}
		})
	}
}
