package cache

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A model is a multi cache without any idea of speed: a list of sessions, a
// list of bindings, and a list of timers that is kept sorted.
type model struct {
	now      int64
	sessions []*modelItem // oldest first
	bindings []*modelItem
	timers   []*modelItem // the next one first
	log      []string
}

type modelItem struct {
	binding         bool
	label, property string
	endpoint        string
	session         int
	saved, due      int64
}

func (m *model) logf(format string, args ...any) { m.log = append(m.log, fmt.Sprintf(format, args...)) }

func without(list []*modelItem, i *modelItem) []*modelItem {
	return slices.DeleteFunc(list, func(other *modelItem) bool { return other == i })
}

func (m *model) setTimer(i *modelItem, ttl int) {
	m.timers = without(m.timers, i)
	i.due = m.now + int64(ttl)
	at := len(m.timers)
	for at > 0 && m.timers[at-1].due > i.due {
		at--
	}
	m.timers = slices.Insert(m.timers, at, i)
}

func (m *model) drop(i *modelItem) {
	m.timers = without(m.timers, i)
	if i.binding {
		m.logf("scache_multi_drop_dest: dest_prop=%s endp_label=%s", i.property, i.endpoint)
		m.bindings = without(m.bindings, i)
		return
	}
	m.logf("scache_multi_drop_endp: endp_prop=%s fd=%d", i.property, i.session)
	m.sessions = without(m.sessions, i)
	if i.session >= 0 {
		m.logf("close %d", i.session)
	}
}

func (m *model) SaveEndpoint(ttl int, endpoint, property []byte, session int) {
	i := &modelItem{label: string(endpoint), property: string(property), session: session, saved: m.now}
	m.sessions = append(m.sessions, i)
	m.setTimer(i, ttl)
	m.logf("scache_multi_save_endp: endp_label=%s -> endp_prop=%s fd=%d", endpoint, property, session)
}

func (m *model) FindEndpoint(endpoint []byte) (Found, bool) {
	for _, i := range m.sessions {
		if i.label == string(endpoint) {
			session := i.session
			m.logf("scache_multi_find_endp: found: endp_label=%s -> endp_prop=%s fd=%d", endpoint, i.property, session)
			i.session = -1
			m.drop(i)
			return Found{Session: session, Property: []byte(i.property), Age: m.now - i.saved}, true
		}
	}
	m.logf("scache_multi_find_endp: no endpoint cache: endp_label=%s", endpoint)
	return Found{}, false
}

func (m *model) SaveDestination(ttl int, destination, property, endpoint []byte) {
	refreshed := ""
	var i *modelItem
	for _, other := range m.bindings {
		if other.label == string(destination) && other.property == string(property) && other.endpoint == string(endpoint) {
			i, refreshed = other, " (refreshed)"
		}
	}
	if i == nil {
		i = &modelItem{binding: true, label: string(destination), property: string(property), endpoint: string(endpoint)}
		m.bindings = append(m.bindings, i)
	}
	m.setTimer(i, ttl)
	m.logf("scache_multi_save_dest: dest_label=%s -> dest_prop=%s endp_label=%s%s", destination, property, endpoint, refreshed)
}

func (m *model) FindDestination(destination []byte) (Found, bool) {
	known := false
	for _, i := range slices.Clone(m.bindings) {
		if i.label != string(destination) {
			continue
		}
		known = true
		if found, ok := m.FindEndpoint([]byte(i.endpoint)); ok {
			found.DestinationProperty, found.Bound = []byte(i.property), true
			return found, true
		}
	}
	if known {
		m.logf("scache_multi_find_dest: not found: dest_label=%s", destination)
	} else {
		m.logf("scache_multi_find_dest: no destination cache: dest_label=%s", destination)
	}
	return Found{Bound: known}, false
}

func (m *model) Expire(now int64) {
	m.now = max(m.now, now)
	for len(m.timers) > 0 && m.timers[0].due <= m.now {
		m.drop(m.timers[0])
	}
}

func labels(items []*modelItem) int {
	seen := make(map[string]bool)
	for _, i := range items {
		seen[i.label] = true
	}
	return len(seen)
}

func (m *model) Size() Size {
	return Size{Destinations: labels(m.bindings), Endpoints: labels(m.sessions),
		Bindings: len(m.bindings), Sessions: len(m.sessions)}
}

func (m *model) Close() {
	for _, items := range []*[]*modelItem{&m.bindings, &m.sessions} {
		for len(*items) > 0 {
			label := (*items)[0].label
			for _, i := range slices.Clone(*items) {
				if i.label == label {
					m.drop(i)
				}
			}
		}
	}
}

// A pair does everything twice, and compares.
type pair struct {
	t       *testing.T
	model   *model
	multi   *Multi
	log     []string
	now     int64
	session int
}

func newPair(t *testing.T, now int64) *pair {
	p := &pair{t: t, model: &model{now: now}, now: now}
	p.multi = NewMulti(Options{
		Now:   now,
		Close: func(c Closed) { p.log = append(p.log, fmt.Sprintf("close %d", c.Session)) },
		Trace: func(text []byte) { p.log = append(p.log, string(text)) },
	})
	return p
}

// step carries out one operation of many. The numbers decide which, and on
// what; times are such that items meet in the same second, and in the same
// slot of the wheel in different rounds.
func (p *pair) step(operation, label, ttl int) {
	dest, endp, prop := fmt.Appendf(nil, "d%d", label%5), fmt.Appendf(nil, "e%d", label%7), fmt.Appendf(nil, "p%d", label%2)
	ttl = []int{1, 2, 3, 4, 5, 6, slots - 1, slots, slots + 1, 2 * slots}[ttl%10]
	var got, want string
	switch operation % 8 {
	case 0, 1:
		p.session++
		p.multi.SaveEndpoint(ttl, endp, prop, p.session)
		p.model.SaveEndpoint(ttl, endp, prop, p.session)
	case 2, 3:
		p.multi.SaveDestination(ttl, dest, prop, endp)
		p.model.SaveDestination(ttl, dest, prop, endp)
	case 4:
		found, ok := p.multi.FindEndpoint(endp)
		got = fmt.Sprintf("%v %v", found, ok)
		found, ok = p.model.FindEndpoint(endp)
		want = fmt.Sprintf("%v %v", found, ok)
	case 5:
		found, ok := p.multi.FindDestination(dest)
		got = fmt.Sprintf("%v %v", found, ok)
		found, ok = p.model.FindDestination(dest)
		want = fmt.Sprintf("%v %v", found, ok)
	case 6:
		// The clock of the system may be set back.
		p.expire(p.now + []int64{0, 1, 1, 1, 2, 3, -1, -1000, slots - 2, slots + 1}[label%10])
	case 7:
		if label%16 == 0 {
			p.multi.Close()
			p.model.Close()
		}
	}
	if got != want {
		p.t.Fatalf("found %s, the model %s", got, want)
	}
	p.compare()
}

func (p *pair) expire(now int64) {
	p.now = now
	p.multi.Expire(now)
	p.model.Expire(now)
}

func (p *pair) compare() {
	p.t.Helper()
	if !slices.Equal(p.model.log, p.log) {
		p.t.Fatalf("steps differ (-model +multi):\n%s", cmp.Diff(p.model.log, p.log))
	}
	p.model.log, p.log = p.model.log[:0], p.log[:0]
	if got, want := p.multi.Size(), p.model.Size(); got != want {
		p.t.Fatalf("size is %+v, of the model %+v", got, want)
	}
	p.compareList(Sessions, p.model.sessions)
	p.compareList(Bindings, p.model.bindings)
	if got, want := p.multi.wheel.count, len(p.model.timers); got != want {
		p.t.Fatalf("%d timers, in the model %d", got, want)
	}
}

// compareList looks whether a kind is listed in the order of saving.
func (p *pair) compareList(kind Kind, want []*modelItem) {
	p.t.Helper()
	checkJournal(p.t, p.multi.pool(kind))
	n := 0
	p.multi.List(kind, 0, 1<<30, func(e *Entry) bool {
		if n == len(want) {
			p.t.Fatalf("%d are listed, %d are in the model", n+1, n)
		}
		i := want[n]
		if string(e.Label) != i.label || string(e.Property) != i.property || string(e.Endpoint) != i.endpoint ||
			kind == Sessions && e.Session != i.session || e.Left != i.due-p.model.now {
			p.t.Fatalf("item %d is listed as %s %s %s %d, in the model it is %+v", n, e.Label, e.Property, e.Endpoint, e.Session, i)
		}
		n++
		return true
	})
	if n != len(want) {
		p.t.Fatalf("%d are listed, %d are in the model", n, len(want))
	}
}

func (p *pair) finish() {
	p.multi.Close()
	p.model.Close()
	p.compare()
	if size := p.multi.Size(); size != (Size{}) {
		p.t.Errorf("size when closed is %+v", size)
	}
}
