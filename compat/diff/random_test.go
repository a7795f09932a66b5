package diff

import (
	"flag"
	"math/rand/v2"
	"strings"
	"testing"
)

var (
	randomSeed  = flag.Uint64("seed", 0, "of the random transcripts; 0 for a new one each time")
	randomCount = flag.Uint64("random", 300, "how many random transcripts of each seed")
)

func TestRandom(t *testing.T) {
	fresh := *randomSeed
	if fresh == 0 {
		fresh = rand.Uint64()
	}
	for name, seed := range map[string]uint64{"fixed seed": 1, "fresh seed": fresh} {
		t.Run(name, func(t *testing.T) {
			t.Logf("-seed %d", seed)
			report, err := Run(t.Context(), Options{
				Programs: Programs{Reference: reference(t), Ours: ours(t)},
				Random:   *randomCount, Seed: seed,
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d in %v, named differences %v", report.Played, report.Time, report.Names())
			for _, f := range report.Unnamed() {
				var text strings.Builder
				f.print(&text)
				t.Error(text.String())
			}
		})
	}
}
