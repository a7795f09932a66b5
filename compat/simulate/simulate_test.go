package simulate

import (
	"flag"
	"strings"
	"testing"
)

var (
	seeds = flag.Uint64("seeds", 2000, "how many seeds TestSeeds tries")
	most  = flag.Int("failures", 3, "after how many failures it stops")
)

// TestSeeds tries some seeds; "scachectl simulate" tries more.
func TestSeeds(t *testing.T) {
	r := Search(t.Context(), Options{Seeds: *seeds, Workers: 2, Most: *most})
	for _, f := range r.Failures {
		t.Errorf("%v; without clients %v; see scachectl simulate --seed %d -v", f, f.Without, f.Seed)
	}
	t.Logf("%d seeds, %.0f a second", r.Seeds, r.Rate())
}

// The same seed is the same life, step by step.
func TestRepeats(t *testing.T) {
	for seed := range uint64(20) {
		var traces [2]strings.Builder
		for i := range traces {
			Run(seed, nil, &traces[i])
		}
		if traces[0].String() != traces[1].String() {
			t.Errorf("seed %d is not the same twice", seed)
		}
	}
}
