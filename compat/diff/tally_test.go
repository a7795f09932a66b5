package diff

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestTally(t *testing.T) {
	var tally Tally
	for _, r := range []Range{{1000, 2000, "a"}, {3000, 4000, "a"}, {0, 1000, "a"}, {2000, 3000, "b"}, {4000, 4500, "a"}} {
		tally.add(r, &Tally{NotAgain: 1, Named: map[string]uint64{"reason": 2}})
	}
	want := Tally{
		Done:     []Range{{0, 2000, "a"}, {2000, 3000, "b"}, {3000, 4500, "a"}},
		Played:   4500,
		Timed:    4500 / timedOf,
		NotAgain: 5,
		Named:    map[string]uint64{"reason": 10},
	}
	if d := cmp.Diff(want, tally); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	for c, want := range map[[2]uint64]bool{{0, 1000}: true, {3000, 4000}: true, {4000, 5000}: false, {9000, 9500}: false} {
		if tally.has(&chunk{from: c[0], to: c[1]}) != want {
			t.Errorf("%d to %d: got %v", c[0], c[1], !want)
		}
	}
}

// What is resumed is not played again.
func TestChunks(t *testing.T) {
	r := &run{Options: Options{Random: 3500}}
	r.report.Tally.add(Range{From: 1000, To: 2000}, new(Tally))
	var got [][2]uint64
	for _, c := range r.chunks() {
		got = append(got, [2]uint64{c.from, c.to})
	}
	if d := cmp.Diff([][2]uint64{{0, 1000}, {2000, 3000}, {3000, 3500}}, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestSurplus(t *testing.T) {
	save := func(ttl string) []byte {
		return list{{"request", "save_endp"}, {"ttl", ttl}, {"label", "e"}, {"property", "p"}}.bytes()
	}
	descriptor := Step{Do: Send, Data: []byte{0}, Descriptors: 1}
	for _, test := range []struct {
		name  string
		steps []Step
		want  bool
	}{
		{"asked", []Step{{Do: Send, Data: save("9")}, descriptor}, false},
		{"not asked", []Step{descriptor}, true},
		{"twice", []Step{{Do: Send, Data: save("9")}, descriptor, descriptor}, true},
		{"two", []Step{{Do: Send, Data: save("9")}, {Do: Send, Data: []byte{0}, Descriptors: 2}}, true},
		{"another client", []Step{{Do: Send, Client: "a", Data: save("9")}, descriptor}, true},
		{"no ttl", []Step{{Do: Send, Data: save("0")}, descriptor}, true},
		{"too much of a ttl", []Step{{Do: Send, Data: save("2147483648")}, descriptor}, true},
		{"a ttl of 64 bits", []Step{{Do: Send, Data: save(" 4294967297")}, descriptor}, false},
		{"at once", []Step{{Do: Hold}, {Do: Send, Data: save("9")}, descriptor, {Do: Go}}, true},
		{"none", []Step{{Do: Send, Data: []byte("x")}}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := (&Transcript{Steps: test.steps}).surplus(); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

// Where time is what matters nobody is disconnected for a descriptor, after which
// there is little to compare.
func TestTimedKeepToTheProtocol(t *testing.T) {
	for i := uint64(timedOf - 1); i < 20000; i += timedOf {
		if random := Generate(1, i); random.surplus() {
			t.Fatalf("%s sends a descriptor that nobody asked for", random.Name)
		}
	}
}

func TestMerge(t *testing.T) {
	send := func(text string) Step { return Step{Do: Send, Data: []byte(text)} }
	got := merge("m", []*Transcript{
		{Steps: []Step{send("a" + Marker), {Do: Wait, Seconds: 2}, send("b")}},
		{Steps: []Step{send("c" + Marker), {Do: Wait, Seconds: 1}, {Do: Send, Client: "z", Data: []byte("d")}}},
	})
	want := &Transcript{Name: "m", Steps: []Step{
		{Do: Send, Client: "1.", Data: []byte("aQAAB")}, {Do: Send, Client: "2.", Data: []byte("cQAAC")},
		{Do: Wait, Seconds: 1}, {Do: Send, Client: "2.z", Data: []byte("d")},
		{Do: Wait, Seconds: 1}, {Do: Send, Client: "1.", Data: []byte("b")},
	}}
	if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Transcript{})); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}
