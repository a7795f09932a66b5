package diff

import (
	"fmt"
	"math/rand/v2"
)

// Generate makes the random transcript number i of a seed: real exchanges, most
// of them spoilt in one way or another. All that it saves has a [Marker] in its
// label, and is taken out again at the end. One in sixteen has waits in it.
func Generate(seed, i uint64) *Transcript {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, i)), sessions: make(map[string]int), bindings: make(map[string][]string)}
	t := &Transcript{Name: fmt.Sprintf("random-%d-%d", seed, i)}
	if isTimed(i) {
		t.Setup, t.Steps = timedSetup(i), g.timed()
		return t
	}
	t.Setup.Verbose = i%2 == 1
	t.Setup.UTF8 = t.Setup.Verbose
	t.Steps = g.transcript()
	return t
}

// A generator makes one transcript.
type generator struct {
	*rand.Rand
	// What the server holds if it understood everything.
	sessions map[string]int      // by endpoint
	bindings map[string][]string // endpoints by destination
	timeRuns bool                // there are no mistakes, and ttls come to an end
}

// chance is true in p percent of all cases.
func (g *generator) chance(p int) bool { return g.IntN(100) < p }

func pick[T any](g *generator, list []T) T { return list[g.IntN(len(list))] }

// A message is something that a client does at a time.
type message struct {
	client      string
	do          Action
	data        []byte
	descriptors int
}

var (
	endpoints    = []string{"e1" + Marker, "e2" + Marker, "smtp\n[192.0.2.1]\n25\n" + Marker}
	destinations = []string{"d1" + Marker, "smtp\nexample.com\n" + Marker}
)

func (g *generator) transcript() []Step {
	clients := []string{""}
	if g.chance(30) {
		clients = []string{"a", "b", "c"}[:2+g.IntN(2)]
	}
	var messages []message
	for _, client := range clients {
		messages = append(messages, message{client: client, do: Connect})
	}
	for range 1 + g.IntN(5) {
		client := pick(g, clients)
		for _, m := range g.exchange() {
			m.client = client
			messages = append(messages, m)
		}
	}
	messages = g.spoil(messages)
	messages = g.ends(messages)
	if !g.chance(keptSurplus) {
		dropSurplus(messages)
	}
	return append(g.hold(messages), g.cleanUp()...)
}

// ends lets clients hang up, or half of them, at some time.
func (g *generator) ends(messages []message) []message {
	for _, end := range []struct {
		do     Action
		chance int
	}{{Shutdown, 20}, {Close, 10}} {
		if !g.chance(end.chance) {
			continue
		}
		at := g.IntN(len(messages) + 1)
		client := messages[g.IntN(len(messages))].client
		kept := append([]message(nil), messages[:at]...)
		kept = append(kept, message{client: client, do: end.do})
		for _, m := range messages[at:] {
			if m.client != client {
				kept = append(kept, m)
			}
		}
		messages = kept
	}
	return messages
}

// hold makes steps of messages. It may let the daemon find a few of one client's
// at once; in which order it turns to several clients is not to be compared.
func (g *generator) hold(messages []message) []Step {
	from, to := len(messages), len(messages)
	if g.chance(15) {
		from = g.IntN(len(messages))
		for to = from; to < len(messages) && to < from+4; to++ {
			if m := messages[to]; m.client != messages[from].client || m.do == Close {
				break
			}
		}
	}
	var steps []Step
	for i, m := range messages {
		if i == from && to > from {
			steps = append(steps, Step{Do: Hold, Client: m.client})
		}
		steps = append(steps, Step{Do: m.do, Client: m.client, Data: m.data, Descriptors: m.descriptors})
		if i == to-1 && to > from {
			steps = append(steps, Step{Do: Go, Client: m.client})
		}
	}
	return steps
}

// cleanUp takes all sessions, which shows which ones there are.
func (g *generator) cleanUp() []Step {
	const client = "z"
	steps := []Step{{Do: Connect, Client: client}}
	for _, destination := range destinations {
		if len(g.bindings[destination]) > 0 {
			steps = append(steps, Step{Do: Drain, Client: client, Data: list{{"request", "find_dest"}, {"label", destination}}.bytes()})
		}
	}
	for _, endpoint := range endpoints {
		if g.sessions[endpoint] > 0 {
			steps = append(steps, Step{Do: Drain, Client: client, Data: list{{"request", "find_endp"}, {"label", endpoint}}.bytes()})
		}
	}
	return append(steps, Step{Do: Close, Client: client})
}
