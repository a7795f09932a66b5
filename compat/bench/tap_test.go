package bench

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"scache/compat/diff"
	"scache/compat/master"
	"scache/compat/testbed"
)

// What a cycle may cost through a tap. That it takes less than twice as long is out of
// reach where the kernel's part is most of it: for each answer four processes are woken
// in place of two. Through the least that a relay can be it takes 2.1 times as long on
// two processors that are busy, and 3.2 times where they fall asleep in between; through
// the tap it takes as long as through that, or a few percent longer.
const (
	// mostOverLeast is how many times as long a cycle takes through the tap as through
	// the least relay, and mostThroughTap as without either: if something waited for a
	// timer it would be many times that.
	mostOverLeast  = 1.3
	mostThroughTap = 6
)

// TestTapCost puts the same load on a daemon without a tap, through one and through the
// least relay, in turn.
func TestTapCost(t *testing.T) {
	program, tapProgram := testbed.Ours(t), testbed.Scachetap(t)
	sessions, err := connect(1)
	if err != nil {
		t.Fatal(err)
	}
	defer disconnect(sessions)
	start := func(o master.Options) *master.Daemon {
		d, err := master.Start(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(d.Close)
		return d
	}
	daemon := start(master.Options{
		Program: program, Chroot: true, Unprivileged: true,
		Args: []string{"-o", "connection_cache_ttl_limit=3600s", "-o", "max_idle=3600s"},
	})
	tap := start(master.Options{
		Program: tapProgram, Args: []string{"-o", "max_idle=3600s"},
		MainCF: "scachetap_server = " + daemon.Socket() + "\nscachetap_recording = " + t.TempDir() + "/recording\n",
	})
	var clients []*clientProcess
	for i, socket := range []string{daemon.Socket(), tap.Socket(), startLeastRelay(t, daemon.Socket())} {
		p, err := startClient(t.Context(), introduction{Socket: socket, Name: "client" + string(rune('a'+i)), TTL: 1000}, sessions[0].near)
		if err != nil {
			t.Fatalf("%v; the log is:\n%s", err, tap.Log.Tail(0, 20))
		}
		defer p.stop()
		clients = append(clients, p)
	}
	const rounds = 12
	var cycles [3]time.Duration // the least median of a round
	for range rounds {
		for i, p := range clients {
			begin := monotonic() + headStart
			if err := command([]*clientProcess{p}, begin, 80*time.Millisecond, 0); err != nil {
				t.Fatal(err)
			}
			tally, err := collect([]*clientProcess{p}, begin)
			if err != nil {
				t.Fatal(err)
			}
			if median := medianCycle(&tally); cycles[i] == 0 || median < cycles[i] {
				cycles[i] = median
			}
		}
	}
	direct, tapped, least := float64(cycles[0]), float64(cycles[1]), float64(cycles[2])
	t.Logf("a cycle takes %v, through the tap %v: %.2f times; through the least relay %v: %.2f times",
		cycles[0], cycles[1], tapped/direct, cycles[2], least/direct)
	if tapped > mostThroughTap*direct {
		t.Errorf("%.2f times as long through the tap, want at most %v", tapped/direct, mostThroughTap)
	}
	if tapped > mostOverLeast*least {
		t.Errorf("%.2f times as long as through the least relay, want at most %v", tapped/least, mostOverLeast)
	}
}

func medianCycle(t *tally) time.Duration {
	var cycles []time.Duration
	for i := 0; i+requests <= len(t.latencies); i += requests {
		var sum time.Duration
		for _, latency := range t.latencies[i : i+requests] {
			sum += latency
		}
		cycles = append(cycles, sum)
	}
	slices.Sort(cycles)
	return quantile(cycles, 0.5)
}

// TestReplay puts a recording on both daemons.
func TestReplay(t *testing.T) {
	o := ReplayOptions{Scached: testbed.Ours(t), Reference: testbed.Reference(t), Load: 3, Rounds: 1}
	list, err := diff.ReadFile("../../testdata/recordings/plain.recording")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Replay(t.Context(), list[0].Steps, o, &out); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + out.String())
	for _, name := range []string{"ours", "reference"} {
		found := false
		for line := range strings.Lines(out.String()) {
			fields := strings.Fields(line)
			found = found || len(fields) == 7 && fields[0] == name && len(fields[1]) >= 3 && len(fields[2]) >= 2
		}
		if !found {
			t.Errorf("no figures of %s", name)
		}
	}
}
