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
)

var (
	scriptSeed = flag.Uint64("script-seed", 0, "of the random scenario; 0 for a new one each time")
	soak       = flag.Duration("soak", 0, "how long to go on with random scenarios")
)

// startAll returns the reference, ours, and the cache in this process.
func startAll(t *testing.T) []Side {
	t.Helper()
	reference := testbed.Reference(t)
	sides, stop, err := StartServers(context.Background(), Server{"reference", reference}, Server{"scached", testbed.Scached(t)})
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
		lookups, differences, err := CompareScript(random.Script(), sides)
		t.Logf("-script-seed %d: %d lookups", next, lookups)
		if err != nil {
			t.Fatal(err)
		}
		if len(differences) > 0 {
			t.Fatalf("with -script-seed %d the servers differ:\n%s", next, strings.Join(differences, "\n"))
		}
		if lookups < random.Commands/5 {
			t.Fatalf("only %d lookups in %d commands", lookups, random.Commands)
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
	if err := CompareScripts(files, startAll(t), &out); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
	if compared := strings.Count(out.String(), "the same"); compared < len(files)/2 {
		t.Errorf("only %d of %d scenarios were compared:\n%s", compared, len(files), out.String())
	}
}
