package diff

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestGenerateAgain(t *testing.T) {
	for i := range uint64(50) {
		if d := cmp.Diff(Generate(7, i), Generate(7, i), cmpopts.IgnoreUnexported(Transcript{})); d != "" {
			t.Fatalf("number %d is not the same again:\n%s", i, d)
		}
	}
	if cmp.Equal(Generate(7, 0).Steps, Generate(8, 0).Steps) {
		t.Error("the seed makes no difference")
	}
}

// Random transcripts hold what they are to hold.
func TestGenerateVariety(t *testing.T) {
	seen := make(map[string]int)
	note := func(what string, is bool) {
		if is {
			seen[what]++
		} else {
			seen[what] += 0
		}
	}
	const count = 1000
	for i := range uint64(count) {
		transcript := Generate(1, i)
		clients := make(map[string]bool)
		var all []byte
		held := false
		for _, step := range transcript.Steps {
			clients[step.Client] = true
			all = append(all, step.Data...)
			held = held && step.Do != Go || step.Do == Hold
			note("descriptors: none", step.Do == Send && step.Descriptors == 0 && string(step.Data) == "\x00")
			note("descriptors: two or more", step.Descriptors > 1)
			note("descriptors: with other data", step.Descriptors > 0 && len(step.Data) > 1)
			note("a single byte", step.Do == Send && len(step.Data) == 1)
			note("half-close", step.Do == Shutdown)
			note("close", step.Do == Close && step.Client != "z")
			note("several at once", step.Do == Hold)
			note("drain", step.Do == Drain)
			if held && step.Do == Close {
				t.Errorf("%s: a client hangs up while the daemon is held: what that leads to depends on time", transcript.Name)
			}
		}
		note("several clients", len(clients) > 2)
		note("longer than the buffer", len(all) > bufferSize)
		note("bytes above 127", bytes.ContainsFunc(all, func(r rune) bool { return r > 127 }))
		note("whole conversations", strings.Count(string(all), "dummy\x00\x00\x00") >= 2)
		note("verbose", transcript.Setup.Verbose)
		note("waits", isTimed(i) && slices.ContainsFunc(transcript.Steps, func(s Step) bool { return s.Do == Wait }))
		note("descriptors that nobody asked for", transcript.surplus())
	}
	for what, n := range seen {
		if n < count/50 {
			t.Errorf("%s: %d times in %d transcripts", what, n, count)
		}
	}
}

func TestLabeler(t *testing.T) {
	steps := []Step{
		{Do: Send, Client: "a", Data: []byte("x" + Marker + "y@@")},
		{Do: Send, Client: "b", Data: []byte("@")},
		{Do: Send, Client: "a", Data: []byte("@@z")},
	}
	l := newLabeler(27)
	var got []string
	for _, step := range l.steps(steps) {
		got = append(got, string(step.Data))
	}
	if d := cmp.Diff([]string{"xQABByQA", "@", "BBz"}, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if got := l.line("label=xQABB"); got != "label=x"+Marker {
		t.Errorf("line: got %q", got)
	}
	if got := l.answer(Answer{Data: []byte("QABB")}); string(got.Data) != Marker {
		t.Errorf("answer: got %q", got.Data)
	}
	if string(steps[0].Data) != "x"+Marker+"y@@" {
		t.Error("the transcript itself has changed")
	}
	seen := make(map[string]bool)
	for n := range 26 * 26 * 26 {
		seen[newLabeler(n).mark] = true
	}
	if len(seen) != 26*26*26 {
		t.Errorf("%d different marks", len(seen))
	}
}

func TestShrink(t *testing.T) {
	large := &Transcript{Name: "large", Setup: Setup{Verbose: true}}
	for i := range 20 {
		large.Steps = append(large.Steps, Step{Do: Send, Client: "a", Data: bytes.Repeat([]byte{byte('a' + i)}, 300), Descriptors: i % 3})
	}
	tries := 0
	small := Shrink(large, func(candidate *Transcript) bool {
		tries++
		saw := 0
		for _, step := range candidate.Steps {
			if bytes.Contains(step.Data, []byte("eee")) && saw == 0 || bytes.Contains(step.Data, []byte("k")) && step.Descriptors > 0 && saw == 1 {
				saw++
			}
		}
		return saw == 2
	})
	want := &Transcript{Name: "large", Steps: []Step{
		{Do: Send, Data: []byte("eee")},
		{Do: Send, Data: []byte("k"), Descriptors: 1},
	}}
	if d := cmp.Diff(want, small, cmpopts.IgnoreUnexported(Transcript{})); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if len(large.Steps) != 20 || tries > shrinkTries {
		t.Errorf("the large one has %d steps now; %d tries", len(large.Steps), tries)
	}
}

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{
		"":                       `""`,
		"a\x00b\x007\x00":        `"a\0b\x007\0"`,
		"\xff\xc3\xa9\"\n\\":     `"\xff\xc3\xa9\"\n\\"`,
		strings.Repeat("x", 100): `"x{100 times}"`,
		strings.Repeat("x", 3):   `"xxx"`,
	} {
		if got := quote([]byte(in)); got != want {
			t.Errorf("quote(%q) = %s, want %s", in, got, want)
		}
	}
}
