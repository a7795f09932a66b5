package cache

import "unsafe"

// Limits say how much a cache may hold, 0 for any amount. What exceeds one is
// made up for by dropping the sessions or bindings that were not used for
// longest.
type Limits struct {
	Sessions            int // in all
	EndpointSessions    int // of one endpoint
	Bindings            int // in all
	DestinationBindings int // of one destination
	DestinationMemory   int // bytes, of the bindings of one destination
	Memory              int // bytes, see Memory
}

// List is all of them, by [Limit].
func (l *Limits) List() []int {
	return []int{
		SessionLimit: l.Sessions, EndpointSessionLimit: l.EndpointSessions,
		BindingLimit: l.Bindings, DestinationBindingLimit: l.DestinationBindings,
		DestinationMemoryLimit: l.DestinationMemory, MemoryLimit: l.Memory,
	}
}

// A Limit is one of those, or what else can make a cache drop an item before
// its time.
type Limit uint8

const (
	SessionLimit Limit = iota
	EndpointSessionLimit
	BindingLimit
	DestinationBindingLimit
	DestinationMemoryLimit
	MemoryLimit
	DescriptorLimit // see Multi.GiveUpSession
	limits
)

// String is the name of the parameter that sets the limit; for descriptors,
// which the system limits, it says that.
func (l Limit) String() string {
	return [limits]string{
		"scached_session_limit", "scached_endpoint_session_limit",
		"scached_binding_limit", "scached_destination_binding_limit", "scached_destination_memory_limit",
		"scached_memory_limit", "limit on open files",
	}[l]
}

// Dropped counts the sessions and bindings that were dropped because of each
// [Limit], which is its index.
type Dropped [limits]int

// Sum is how many there are in all.
func (d *Dropped) Sum() (n int) {
	for _, count := range d {
		n += count
	}
	return n
}

// Since is how many there are more than before.
func (d Dropped) Since(before Dropped) Dropped {
	for i := range d {
		d[i] -= before[i]
	}
	return d
}

// Memory is what is held in bytes, of which there is one budget for all. Where
// it is exceeded, whoever holds most gives something up.
type Memory struct {
	Limit         int // 0 for none
	Sessions      int // with their labels and properties
	Bindings      int
	Spare         int // kept to be used again
	Conversations int // counted by the user: requests and answers that are not complete
}

// Held is all of it.
func (m *Memory) Held() int { return m.Sessions + m.Bindings + m.Spare + m.Conversations }

func (m *Memory) exceeded() bool { return m.Limit > 0 && m.Held() > m.Limit }

// What an item and a list take besides their text. An item's place in its
// journal is half used at worst.
const (
	itemSize = int(unsafe.Sizeof(item{}) + 2*unsafe.Sizeof(uintptr(0)))
	listSize = int(unsafe.Sizeof(list{}))
)

// LimitMemory drops what it takes to keep to the memory limit. It reports true
// when that is not for the cache to do, since conversations hold most; the user
// is then to end one and to call it again.
func (m *Multi) LimitMemory() (conversations bool) {
	for m.Memory.exceeded() {
		if m.free != nil || m.bindings.table.free != nil || m.sessions.table.free != nil {
			m.releaseSpare()
			continue
		}
		p := &m.sessions
		if m.Memory.Bindings > m.Memory.Sessions {
			p = &m.bindings
		}
		if m.Memory.Conversations > *p.memory {
			return true
		}
		if p.count == 0 {
			return false
		}
		m.giveUp(p.first, MemoryLimit)
	}
	return false
}

// releaseSpare gives some of the memory that is kept back to the runtime.
func (m *Multi) releaseSpare() {
	if i := m.free; i != nil {
		m.free = i.links[byLabel].next
		m.Memory.Spare -= i.memory()
	}
	for _, t := range []*table{m.bindings.table, m.sessions.table} {
		if l := t.free; l != nil {
			t.free = l.next
			m.Memory.Spare -= l.memory()
		}
	}
}

// limit gives up what a pool has too much of, and what a list has, to which
// something has just been added.
func (m *Multi) limit(i *item) {
	limits, l := &m.options.Limits, i.list
	if i.binding {
		for exceeds(l.length, limits.DestinationBindings) {
			m.giveUp(l.used.first, DestinationBindingLimit)
		}
		for l.length > 1 && exceeds(l.bytes, limits.DestinationMemory) {
			m.giveUp(l.used.first, DestinationMemoryLimit) // the newest one stays
		}
		if exceeds(m.bindings.count, limits.Bindings) {
			m.giveUp(m.bindings.first, BindingLimit)
		}
	} else {
		if exceeds(l.length, limits.EndpointSessions) {
			m.giveUp(l.items.first, EndpointSessionLimit)
		}
		if exceeds(m.sessions.count, limits.Sessions) {
			m.giveUp(m.sessions.first, SessionLimit)
		}
	}
	if m.Memory.exceeded() {
		m.LimitMemory()
	}
}

func exceeds(n, limit int) bool { return limit > 0 && n > limit }

// GiveUpSession drops the oldest session, because descriptors are short. It
// reports false when there is none.
func (m *Multi) GiveUpSession() bool {
	if m.sessions.first == nil {
		return false
	}
	m.giveUp(m.sessions.first, DescriptorLimit)
	return true
}

func (m *Multi) giveUp(i *item, why Limit) {
	m.Dropped[why]++
	if why == DescriptorLimit {
		m.drop(i, Shortage)
	} else {
		m.drop(i, Limited)
	}
}
