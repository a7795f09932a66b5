package daemon

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// unavailable ends a test that needs what this machine does not have. In
// continuous integration everything is there, or the test has failed.
func unavailable(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("NOT TESTED: %s", what)
	}
	t.Skipf("NOT TESTED: %s", what)
}

// TestEvalLikePostconf lets the installed Postfix expand the same values.
//
// Where a value is broken postconf looks at it twice, and at both branches of a
// condition, so that it may say more than we do; TestReferenceDies compares the
// warnings to the letter.
func TestEvalLikePostconf(t *testing.T) {
	postconf, err := exec.LookPath("postconf")
	if err != nil {
		unavailable(t, "there is no postconf to compare with")
	}
	t.Parallel() // a failure takes postconf a second
	dir := writeConfig(t, configText(evalValues))
	if err := os.WriteFile(filepath.Join(dir, "master.cf"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	gen := valueGenerator{rand.New(rand.NewPCG(seed, 0))}
	var values []string
	for _, test := range evalTests {
		values = append(values, test.value)
	}
	for range 200 {
		values = append(values, gen.value(3))
	}
	inParallel(len(values), func(i int) {
		value := values[i]
		_, assigned, err := splitNameValue("relayhost=" + value)
		if err != nil {
			t.Errorf("%q: %v", value, err)
			return
		}
		c, warnings := evalConfig(evalValues)
		c.dir = dir
		got, err := c.eval(assigned)

		var stdout, stderr bytes.Buffer
		cmd := exec.Command(postconf, "-xh", "-c", dir, "-o", "relayhost="+value, "relayhost")
		cmd.Args[0] = "postconf"
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		cmd.Run() // the exit status says no more than what it prints
		said := strings.Split(stderr.String(), "\n")
		// postconf folds white space when it prints.
		want := strings.Join(strings.Fields(stdout.String()), " ")
		got = strings.Join(strings.Fields(got), " ")
		died := slices.ContainsFunc(said, func(line string) bool { return strings.HasPrefix(line, "postconf: fatal: ") })
		if died != (err != nil) || !died && got != want {
			t.Errorf("%q: got %q, error %v; postconf has %q and says %.500q", value, got, err, want, said)
		}
		for _, text := range *warnings {
			if !slices.Contains(said, "postconf: warning: "+text) {
				t.Errorf("%q: our warning %q is not among %.500q", value, text, said)
			}
		}
	})
}

// inParallel calls f(0) to f(n-1), some at a time: what they call mostly sleeps.
func inParallel(n int, f func(i int)) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, 40)
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			f(i)
		})
	}
	wg.Wait()
}

func configText(values map[string]string) string {
	var text strings.Builder
	for name, value := range values {
		fmt.Fprintf(&text, "%s = %s\n", name, value)
	}
	return text.String()
}

// writeConfig makes a configuration directory.
func writeConfig(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.cf"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A valueGenerator makes values that are mostly right.
type valueGenerator struct{ *rand.Rand }

func (g valueGenerator) pick(choices ...string) string { return choices[g.IntN(len(choices))] }

func (g valueGenerator) name() string {
	return g.pick("a", "b", "empty", "n9", "n10", "level", "nothing", "broken", "loop")
}

func (g valueGenerator) value(depth int) string {
	var value strings.Builder
	for range 1 + g.IntN(3) {
		value.WriteString(g.piece(depth))
	}
	s := value.String()
	if g.IntN(12) == 0 && s != "" {
		at := g.IntN(len(s))
		s = s[:at] + g.pick("", "{", "}", "$", "?", ":", " ", "-", "==") + s[at+g.IntN(2):]
	}
	return s
}

func (g valueGenerator) piece(depth int) string {
	if depth == 0 {
		return g.pick("x", "word", "9", "10", "3.6", "$$", "-", "y z", "$a", "$n9", "${b}", "${ empty }")
	}
	space := g.pick("", "", " ")
	operator := g.pick("?", ":")
	text := func() string { return "{" + space + g.value(depth-1) + "}" }
	switch g.IntN(8) {
	case 0:
		return g.pick("x", "9", "a.b", "$$", "(p)", " ")
	case 1:
		return "$" + g.name()
	case 2:
		return "$(" + g.name() + ")"
	case 3:
		return "${" + space + g.name() + operator + g.pick("word", "$a", "?x:y") + "}"
	case 4:
		return "${" + g.name() + space + operator + space + text() + space + "}"
	case 5:
		return "${" + g.name() + space + "?" + text() + space + ":" + text() + "}"
	case 6:
		return "${" + text() + space + g.relation() + space + text() + g.pick("", space+operator+text()) + "}"
	default:
		return "${" + text() + g.relation() + text() + "?" + space + text() + ":" + g.pick(text(), "z") + "}"
	}
}

func (g valueGenerator) relation() string {
	return g.pick("==", "!=", "<", "<=", ">", ">=", "==", "<level ", ">=level", "=")
}
