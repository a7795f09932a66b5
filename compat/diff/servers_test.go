package diff

import (
	"bytes"
	"context"
	"flag"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"scache/compat/testbed"
	"scache/scached/protocol"
)

var (
	scriptSeed = flag.Uint64("script-seed", 0, "of the random scenario; 0 for a new one each time")
	soak       = flag.Duration("soak", 0, "how long to go on with random scenarios")
)

// startAll returns the reference, ours, and the cache in this process.
func startAll(t *testing.T) []Side {
	t.Helper()
	reference := testbed.Reference(t)
	sides, stop, err := StartServers(context.Background(), Server{Name: "reference", Path: reference}, Server{Name: "scached", Path: testbed.Scached(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return append(sides, Side{Name: "in process"})
}

// A random scenario finds the same on both servers.
func TestRandomScenario(t *testing.T) {
	t.Parallel()
	sides := startAll(t)
	next := *scriptSeed
	for began := time.Now(); ; {
		if next == 0 {
			next = rand.Uint64()
		}
		random := RandomScript{Seed: next, Commands: 1000, Seconds: 14, Labels: 50}
		if *soak > 0 {
			random.Commands, random.Seconds = 20_000, 60
		}
		c, err := CompareScript("random", random.Script(), sides, timesAlone)
		t.Logf("-script-seed %d: %d lookups", next, c.Lookups)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Errors) > 0 {
			t.Fatalf("the random script is in error: %v", c.Errors)
		}
		if len(c.Differences) > 0 {
			t.Fatalf("with -script-seed %d the servers differ:\n%s", next, strings.Join(c.Differences, "\n"))
		}
		if c.Lookups < random.Commands/5 {
			t.Fatalf("only %d lookups in %d commands", c.Lookups, random.Commands)
		}
		if next = 0; time.Since(began) > *soak {
			return
		}
	}
}

// The project's scenarios find the same on both servers.
func TestScenariosOnServers(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../testdata/scenarios/*.in")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	var out bytes.Buffer
	if err := CompareScripts(t.Context(), files, startAll(t), &out); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
	if compared := strings.Count(out.String(), "the same"); compared < len(files)/2 {
		t.Errorf("only %d of %d scenarios were compared:\n%s", compared, len(files), out.String())
	}
}

// A script speaks the dialect of the servers that it is run on.
func TestScriptsInEveryDialect(t *testing.T) {
	ours := ours(t)
	dir := scriptDir(t, map[string]string{"x.in": "cache_type multi\nsave_endp 9 a p 12\nsave_dest 9 d q a\nfind_dest d\nfind_endp a\n"})
	for _, dialect := range protocol.Dialects {
		t.Run(dialect.Version, func(t *testing.T) {
			t.Parallel()
			sides, stop, err := StartServers(t.Context(), Server{Name: "ours", Path: ours, Dialect: dialect.Version})
			if err != nil {
				t.Fatal(err)
			}
			defer stop()
			var out bytes.Buffer
			err = CompareScripts(t.Context(), []string{filepath.Join(dir, "x.in")}, append(sides, Side{Name: "in process"}), &out)
			if err != nil || !strings.Contains(out.String(), "2 lookups, the same") {
				t.Errorf("%v\n%s", err, out.String())
			}
		})
	}
}
