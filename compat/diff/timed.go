package diff

// Every so many random transcripts one has to do with time: sessions and bindings
// come to an end while it is played, some of them in the same second.
const timedOf = 16

func isTimed(i uint64) bool { return i%timedOf == timedOf-1 }

// timedSetup is the same for all of a chunk.
func timedSetup(i uint64) Setup {
	n := i / chunkSize
	s := Setup{Verbose: n%2 == 1, UTF8: n%2 == 1}
	if n/2%2 == 1 {
		s.TTLLimit = 2
	}
	return s
}

// timed makes a transcript of up to four seconds in which clients keep to the
// protocol, so that nobody has to wait for them.
func (g *generator) timed() []Step {
	g.timeRuns = true
	var steps []Step
	connected, stays := false, g.chance(30)
	seconds := 2 + g.IntN(3)
	for second := range seconds {
		if second > 0 {
			steps = append(steps, Step{Do: Wait, Seconds: 1})
		}
		if second > 0 && second < seconds-1 && g.chance(20) {
			continue
		}
		if !connected {
			steps, connected = append(steps, Step{Do: Connect}), true
		}
		for range 1 + g.IntN(4) {
			steps = append(steps, g.timedExchange()...)
		}
		if !stays || second == seconds-1 {
			steps, connected = append(steps, Step{Do: Close}), false
		}
	}
	return append(steps, g.cleanUp()...)
}

func (g *generator) timedExchange() []Step {
	var messages []message
	switch n := g.IntN(100); {
	case n < 40:
		messages = g.saveEndpoint()
	case n < 65:
		messages = g.saveDestination()
	case n < 85:
		return []Step{{Do: Drain, Data: list{{"request", "find_endp"}, {"label", pick(g, endpoints)}}.bytes()}}
	default:
		return []Step{{Do: Drain, Data: list{{"request", "find_dest"}, {"label", pick(g, destinations)}}.bytes()}}
	}
	var steps []Step
	for _, m := range messages {
		steps = append(steps, Step{Do: m.do, Data: m.data, Descriptors: m.descriptors})
	}
	return steps
}
