package cache

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestRandomOperations(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for round := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, round))
		p := newPair(t, random.Int64N(2*slots))
		for range 2000 {
			p.step(random.IntN(8), random.IntN(70), random.IntN(10))
		}
		p.finish()
	}
}

func FuzzOperations(f *testing.F) {
	f.Add([]byte{0, 0, 0, 2, 0, 0, 5, 0, 0, 6, 1, 0})
	f.Add([]byte{0, 0, 8, 0, 0, 0, 6, 9, 0, 6, 7, 0, 0, 0, 1, 6, 1, 0})
	f.Add([]byte{2, 1, 3, 2, 1, 0, 6, 1, 0, 7, 16, 0, 2, 1, 6})
	f.Fuzz(func(t *testing.T, steps []byte) {
		p := newPair(t, 1<<31)
		for ; len(steps) >= 3; steps = steps[3:] {
			p.step(int(steps[0]), int(steps[1]), int(steps[2]))
		}
		p.finish()
	})
}
