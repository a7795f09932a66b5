package cache

import (
	"fmt"
	"testing"
)

// Once the cache has held as much as it is to hold, nothing is allocated.
func TestAllocations(t *testing.T) {
	endpoint, destination := []byte("smtp\n[192.0.2.1]:25"), []byte("smtp\nexample.com")
	property, other := []byte("a=1\nb=2"), []byte("a=3")
	now := int64(0)
	for _, test := range []struct {
		name string
		run  func(m *Multi)
	}{
		{"save and find a session", func(m *Multi) {
			m.SaveEndpoint(2, endpoint, property, 3)
			m.FindEndpoint(endpoint)
		}},
		{"find no session", func(m *Multi) { m.FindEndpoint(endpoint) }},
		{"find no destination", func(m *Multi) { m.FindDestination(destination) }},
		{"save and find by destination", func(m *Multi) {
			m.SaveDestination(2, destination, property, endpoint)
			m.SaveEndpoint(2, endpoint, property, 3)
			m.FindDestination(destination)
		}},
		{"find a destination without a session", func(m *Multi) {
			m.SaveDestination(2, destination, other, endpoint)
			m.FindDestination(destination)
		}},
		{"save and expire", func(m *Multi) {
			m.SaveDestination(1, destination, property, endpoint)
			m.SaveEndpoint(2, endpoint, property, 3)
			m.SaveEndpoint(1, endpoint, property, 4)
			now++
			m.Expire(now)
		}},
		{"give up a session", func(m *Multi) {
			m.SaveEndpoint(2, endpoint, property, 3)
			m.GiveUpSession()
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := NewMulti(Options{Now: now, Close: func(Closed) {}})
			for range 10 { // "as much as it is to hold"
				test.run(m)
			}
			if n := testing.AllocsPerRun(100, func() { test.run(m) }); n != 0 {
				t.Errorf("%v allocations, want none", n)
			}
		})
	}
}

// Nor does a full cache allocate when its items come and go.
func TestAllocationsWhenFull(t *testing.T) {
	m := NewMulti(Options{Close: func(Closed) {}, Limits: Limits{Sessions: 1000, Bindings: 1000}})
	labels := make([][]byte, 1500)
	for i := range labels {
		labels[i] = fmt.Appendf(nil, "label%06d", i)
	}
	next := 0
	save := func() {
		label := labels[next%len(labels)]
		next++
		m.SaveEndpoint(100, label, label, next)
		m.SaveDestination(100, label, label, label)
	}
	for range labels {
		save()
	}
	if n := testing.AllocsPerRun(1000, save); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
	if m.Dropped == (Dropped{}) {
		t.Error("the cache was not full")
	}
}

// A large text does not stay in memory when its item is gone.
func TestLargeTextIsFreed(t *testing.T) {
	m := NewMulti(Options{Close: func(Closed) {}})
	large := make([]byte, 60_000)
	m.SaveEndpoint(1, large, large, 3)
	m.Expire(1)
	if m.free == nil || cap(m.free.text) != 0 {
		t.Error("the item keeps the memory of its text")
	}
	if m.sessions.table.free == nil || cap(m.sessions.table.free.label) != 0 {
		t.Error("the list keeps the memory of its label")
	}
}
