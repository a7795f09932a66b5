package cache

import "hash/maphash"

// buckets is the number of chains of a table, a power of two. The table never
// grows, so no request pays for that: with as many labels as a daemon can hold
// descriptors, a chain has a few entries. Memory that no label has used yet is
// not resident.
const buckets = 1 << 14

// A table maps labels to lists of items. Labels come from clients, so the hash
// is seeded: nobody can choose labels that fall into one chain.
type table struct {
	seed   maphash.Seed
	chains [buckets]*list
	free   *list
	used   int
}

// A list holds the items under one label. It is in its table as long as it has
// items.
type list struct {
	label  []byte
	hash   uint64
	next   *list // in its chain, or in the free list
	items  queue
	length int
}

func newTable() *table { return &table{seed: maphash.MakeSeed()} }

// find returns the list for label, nil if there is none.
func (t *table) find(label []byte) *list {
	l, _ := t.lookup(label)
	return l
}

func (t *table) lookup(label []byte) (l *list, hash uint64) {
	hash = maphash.Bytes(t.seed, label)
	for l = t.chains[hash%buckets]; l != nil; l = l.next {
		if l.hash == hash && string(l.label) == string(label) {
			break
		}
	}
	return l, hash
}

// enter returns the list for label, a new one if need be.
func (t *table) enter(label []byte) *list {
	l, hash := t.lookup(label)
	if l != nil {
		return l
	}
	if l = t.free; l == nil {
		l = new(list)
	} else {
		t.free = l.next
	}
	l.label = append(l.label[:0], label...)
	l.hash = hash
	chain := &t.chains[hash%buckets]
	l.next = *chain
	*chain = l
	t.used++
	return l
}

// add puts an item at the end of a list.
func (t *table) add(l *list, i *item) {
	i.list = l
	l.items.push(byLabel, i)
	l.length++
}

// remove takes an item out of its list, and an empty list out of the table.
func (t *table) remove(i *item) {
	l := i.list
	i.list = nil
	l.items.remove(byLabel, i)
	if l.length--; l.length > 0 {
		return
	}
	p := &t.chains[l.hash%buckets]
	for *p != l {
		p = &(*p).next
	}
	*p = l.next
	l.label = reusable(l.label)
	l.next, t.free = t.free, l
	t.used--
}

// reusable is the memory of a string that is no longer needed, unless it is so
// large that it had better go.
func reusable(text []byte) []byte {
	if cap(text) > 1024 {
		return nil
	}
	return text[:0]
}
