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
	"time"

	"github.com/google/go-cmp/cmp"
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
		want := strings.TrimSuffix(stdout.String(), "\n")
		got = folded(got)
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

// TestLoadLikePostconf lets the installed Postfix read the same files.
func TestLoadLikePostconf(t *testing.T) {
	postconf, err := exec.LookPath("postconf")
	if err != nil {
		unavailable(t, "there is no postconf to compare with")
	}
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	gen := valueGenerator{rand.New(rand.NewPCG(seed, 1))}
	texts, dirs := make([]string, 100), make([]string, 100)
	for i := range texts {
		texts[i] = gen.file()
		dirs[i] = writeConfig(t, texts[i])
		if err := os.WriteFile(filepath.Join(dirs[i], "master.cf"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		long := time.Now().Add(-time.Hour) // or postconf reads it twice
		if err := os.Chtimes(filepath.Join(dirs[i], "main.cf"), long, long); err != nil {
			t.Fatal(err)
		}
	}
	inParallel(len(texts), func(i int) {
		var got []string
		say := func(label, text string) {
			got = append(got, "postconf: "+label+string(printable([]byte(text), false)))
		}
		c := newConfig(dirs[i], func(text string) { say("warning: ", text) })
		if err := c.load(); err != nil {
			say("fatal: ", err.Error())
		} else {
			for _, name := range fileNames {
				got = append(got, folded(c.values[name]))
			}
		}
		cmd := exec.Command(postconf, append([]string{"-h", "-c", dirs[i]}, fileNames...)...)
		cmd.Args[0] = "postconf"
		out, _ := cmd.CombinedOutput()
		want := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-postconf +ours):\n%s", texts[i], diff)
		}
	})
}

// folded is a value as postconf prints it: with less white space.
func folded(value string) string {
	return strings.Join(strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(" \t\r\n", r) }), " ")
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

// fileNames are parameters whose default is empty.
var fileNames = []string{"relayhost", "sender_bcc_maps", "content_filter"}

// file makes a main.cf that is mostly right.
func (g valueGenerator) file() string {
	var text strings.Builder
	for range 1 + g.IntN(8) {
		text.WriteString(g.pick("", "", "", "", "", "\n", "# x = y\n", " # x\n", " \t\n", "  word\n"))
		text.WriteString(g.pick(fileNames...))
		text.WriteString(g.pick("=", " = ", "\t=\t ", " =", "= = ", "==", " "))
		text.WriteString(g.pick("", "a", "a b", "a # b", "$mail_name", "a=b", "a\v\f\r"))
		text.WriteString(g.pick("\n", "\n", "\n", " \n", "\n c\n", "\n\tc\n\n  d\n", "\n#\n e\n", "\n f = g\n"))
	}
	return strings.TrimSuffix(text.String(), g.pick("", "", "\n"))
}

func (g valueGenerator) relation() string {
	return g.pick("==", "!=", "<", "<=", ">", ">=", "==", "<level ", ">=level", "=")
}
