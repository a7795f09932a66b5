package diff

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A RandomScript is how to make up a script.
type RandomScript struct {
	Seed     uint64
	Commands int // without the sleeps
	Seconds  int // of sleep in all
	Labels   int // destinations, and as many endpoints
}

// Script returns a script for "cache_type multi": the same one for the same
// RandomScript. About half of its lookups find something.
func (r RandomScript) Script() string {
	random := rand.New(rand.NewPCG(r.Seed, 0))
	var b strings.Builder
	fmt.Fprintf(&b, "# seed %d\ncache_type multi\n", r.Seed)
	slept := 0
	for i := range r.Commands {
		// Seconds are spread evenly; one in three passes unnoticed.
		for (slept+1)*r.Commands < (i+1)*(r.Seconds+1) {
			step := 1 + random.IntN(3)/2
			fmt.Fprintf(&b, "sleep %d\n", step)
			slept += step
		}
		r.command(&b, random, 12+i)
	}
	return b.String()
}

func (r RandomScript) command(b *strings.Builder, random *rand.Rand, session int) {
	destination := fmt.Sprintf("dest%d", random.IntN(r.Labels))
	endpoint := fmt.Sprintf("endp%d", random.IntN(r.Labels))
	property := fmt.Sprintf("prop%d", random.IntN(3))
	ttl := 1 + random.IntN(5)
	switch random.IntN(10) {
	case 0, 1, 2:
		fmt.Fprintf(b, "save_endp %d %s %s %d\n", ttl, endpoint, property, session)
	case 3, 4, 5:
		fmt.Fprintf(b, "save_dest %d %s %s %s\n", ttl, destination, property, endpoint)
	case 6, 7:
		fmt.Fprintf(b, "find_endp %s\n", endpoint)
	default:
		fmt.Fprintf(b, "find_dest %s\n", destination)
	}
}
