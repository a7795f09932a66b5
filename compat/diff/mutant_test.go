package diff

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"scache/compat/testbed"
)

// mutants are servers with a mistake in them: what to change in which file.
var mutants = []struct {
	name, file, old, new string
	// Where one kind of transcript cannot see the mistake.
	notRandom, notFixed bool
}{
	{name: "forgets the buffer rule", file: "scached/protocol/request.go",
		old: "	if !c.duplex {\n		c.in = nil\n	}\n"},
	{name: "last in first out", file: "scached/cache/multi.go",
		old: "looks > 0; length-- {\n		i := l.items.first\n", new: "looks > 0; length-- {\n		i := l.items.last\n"},
	{name: "wrong shape of a miss", file: "scached/protocol/request.go",
		old: "c.reply(status, empty[:c.request.properties]...)", new: "c.reply(status, empty[:0]...)"},
	{name: "leaks a descriptor", file: "scached/protocol/handover.go",
		old: "	c.service.Close(c.session)\n	c.session = -1\n", new: "	c.session = -1\n"},
	{name: "a warning missing", file: "scached/protocol/request.go",
		old: "	c.service.Log.Warning(c.request.service + \": bad or missing request parameter\")\n"},

	{name: "buffer too small", file: "scached/protocol/doc.go",
		old: "const BufferSize = 4096", new: "const BufferSize = 4095"},
	{name: "hits not counted", file: "scached/protocol/handover.go",
		old: "counters.Destination.Hits++", new: "_ = c",
		// Few random transcripts have such a hit, and the statistics of a pair are
		// given up with the first client that only the reference served to its end.
		notRandom: true},
	{name: "ttl not cut", file: "scached/protocol/request.go",
		old: "c.ttl = min(c.ttl, c.service.TTLLimit)", new: "_ = c",
		notRandom: true}, // the first 2,000 have no limit that matters,
	{name: "a second late", file: "scached/cache/wheel.go",
		old: "if i.due <= w.now {", new: "if i.due < w.now {"},
	{name: "refresh ignored", file: "scached/cache/multi.go",
		old: "		m.wheel.set(i, ttl)\n		m.bindings.use(i)\n", new: "		m.bindings.use(i)\n"},
	{name: "ttl of 64 bits", file: "scached/protocol/request.go",
		old: "int(int32(c.scan.Uint(0)))", new: "int(c.scan.Uint(0))"},
	{name: "reads a descriptor's message whole", file: "scached/server/client.go",
		old: "s.receiveInto(c, s.buffer[:1], true)", new: "s.receiveInto(c, s.buffer[:2], true)"},
	{name: "verbose in other words", file: "attrproto/scan.go",
		old: "shown := \"(end)\"", new: "shown := \"\""},
}

// buildMutant builds the daemon with a mistake.
func buildMutant(t *testing.T, file, old, new string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "scached")
	if err := testbed.Build(program, testbed.Overlay(t, file, old, new)); err != nil {
		t.Fatal(err)
	}
	return program
}

// A server with a mistake does not get through, neither with the recorded
// transcripts alone nor with the random ones alone.
func TestMutants(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	builtIn, err := BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range mutants {
		names = append(names, m.name)
	}
	all := testbed.NewMutants(t, "random", "Mistakes made in the daemon on purpose", names)
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			p := Programs{Reference: reference(t), Ours: buildMutant(t, m.file, m.old, m.new)}
			var how []string
			if !m.notRandom {
				// A third of the random ones compares little: after a descriptor that nobody
				// asked for, nothing is the same any more. And one in sixteen has waits.
				how = append(how, "random: "+catch(t, Options{Programs: p, Random: 6000, Seed: seed, First: true}))
			}
			if !m.notFixed {
				how = append(how, "recorded: "+catch(t, Options{Programs: Programs{Ours: p.Ours}, Transcripts: builtIn, First: true}))
			}
			all.Found(m.name, strings.Join(how, "; "))
		})
	}
}

// catch says after how many transcripts the mistake shows, and in what.
func catch(t *testing.T, o Options) string {
	t.Helper()
	report, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	found := report.Unnamed()
	if len(found) == 0 {
		t.Fatalf("not caught by %d transcripts, %d of them random", report.Played, o.Random)
	}
	caught := fmt.Sprintf("after %d others, %s", report.Played, found[0].Differences[0].What)
	t.Logf("caught %s, by %s", caught, found[0].Transcript.Name)
	return caught
}

// A difference is made small, and what is saved of it shows it again.
func TestShrunkAndSaved(t *testing.T) {
	t.Parallel()
	m := mutants[4]
	p := Programs{Reference: reference(t), Ours: buildMutant(t, m.file, m.old, m.new)}
	report, err := Run(t.Context(), Options{Programs: p, Random: 10, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	found, dir := report.Unnamed(), t.TempDir()
	if len(found) == 0 {
		t.Fatal("nothing is found")
	}
	var all []*Transcript
	for _, f := range found {
		files, err := f.Save(dir)
		if err != nil {
			t.Fatal(err)
		}
		list, err := ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		if len(list) != 1 || len(list[0].Steps) != 2 {
			var text strings.Builder
			list[0].Print(&text, list[0].Recorded, nil)
			t.Errorf("%s could be smaller:\n%s", files[0], text.String())
		}
		all = append(all, list...)
	}
	for _, test := range []struct {
		program string
		want    int
	}{{p.Ours, len(all)}, {ours(t), 0}} {
		report, err := Run(t.Context(), Options{Programs: Programs{Ours: test.program}, Transcripts: all})
		if err != nil {
			t.Fatal(err)
		}
		if got := len(report.Unnamed()); got != test.want {
			t.Errorf("%s: %d transcripts show a difference, want %d of %d", filepath.Base(test.program), got, test.want, len(all))
		}
	}
}
