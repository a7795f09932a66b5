package simulate

import (
	"fmt"
	"strconv"
)

// counters looks at what the server counts, as it tells an administrator who asks
// now: that it adds up, and is what the model has counted.
func (w *world) counters() (judge func(words [][2]string)) {
	m := &w.model
	want := map[string]int{}
	open := func() int { return w.open - masterFD - 1 }
	before := open()
	clients, strangers, handing := 0, 0, 0
	for _, t := range w.talks {
		if t == nil {
			continue
		}
		clients++
		if !t.keeps() {
			strangers++
		}
		if t.promised != nil {
			handing++
		}
	}
	want["clients"] = clients
	want["clients_total"] = m.counts.clients
	want[`quits_total{result="answered"}`] = m.counts.quits
	if !w.plan.wild {
		want[`saves_total{kind="session"}`] = m.counts.saved
		want[`handovers_total{result="done"}`] = m.counts.handed
		want[`handovers_total{result="failed"}`] = m.counts.failed
	}
	if !w.plan.wild && !m.relaxed && !m.ending {
		want["sessions"] = len(m.sessions)
		want["bindings"] = len(m.bindings)
		want[`saves_total{kind="binding"}`] = m.counts.bindings
		want[`saves_total{kind="refresh"}`] = m.counts.refreshed
		for i, name := range reasonNames {
			want[`sessions_closed_total{reason="`+name+`"}`] = m.counts.closed[i]
		}
		for i, kind := range []string{"destination", "endpoint"} {
			want[fmt.Sprintf(`lookups_total{kind=%q,result="hit"}`, kind)] = m.counts.hits[i]
			want[fmt.Sprintf(`lookups_total{kind=%q,result="miss"}`, kind)] = m.counts.misses[i]
		}
	}
	return func(words [][2]string) {
		told := map[string]int{}
		for _, word := range words {
			if n, err := strconv.Atoi(word[1]); err == nil {
				told[word[0]] = n
			}
		}
		if got := told["descriptors"]; got > before || got < open() { // some may be closed just now
			w.fail("the counter descriptors is %d, and %d were open", got, before)
		}
		for name, n := range want {
			if got, ok := told[name]; got != n || !ok {
				w.fail("the counter %s is %d, not %d", name, got, n)
			}
		}
		left := told[`saves_total{kind="session"}`] - told["sessions"] - told[`handovers_total{result="done"}`]
		for _, name := range append(reasonNames[:], "handover_failed") {
			left -= told[`sessions_closed_total{reason="`+name+`"}`]
		}
		if left < handing || left > handing+strangers {
			w.fail("of the sessions that were saved, %d are neither there nor gone; %d are being handed over", left, handing)
		}
	}
}
