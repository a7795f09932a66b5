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
	held   *int // bytes of memory of the lists in it
	spare  *int // and of those that are free
}

// A list holds the items under one label. It is in its table as long as it has
// items.
type list struct {
	label  []byte
	hash   uint64
	next   *list // in its chain, or in the free list
	items  queue
	used   queue // the same, if they are bindings, by use
	length int
	bytes  int // of memory of the items
}

func (l *list) memory() int { return listSize + cap(l.label) }

func newTable(held, spare *int) *table {
	return &table{seed: maphash.MakeSeed(), held: held, spare: spare}
}

func (t *table) hash(label []byte) uint64 { return maphash.Bytes(t.seed, label) }

// find returns the list for a label with that hash, nil if there is none.
func (t *table) find(label []byte, hash uint64) *list {
	l := t.chains[hash%buckets]
	for l != nil && (l.hash != hash || string(l.label) != string(label)) {
		l = l.next
	}
	return l
}

// enter returns the list for label, a new one if need be.
func (t *table) enter(label []byte) *list {
	hash := t.hash(label)
	if l := t.find(label, hash); l != nil {
		return l
	}
	l := t.free
	if l == nil {
		l = new(list)
	} else {
		t.free = l.next
		*t.spare -= l.memory()
	}
	l.label = append(l.label[:0], label...)
	*t.held += l.memory()
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
	l.bytes += i.memory()
}

// remove takes an item out of its list, and an empty list out of the table.
func (t *table) remove(i *item) {
	l := i.list
	i.list = nil
	l.items.remove(byLabel, i)
	l.bytes -= i.memory()
	if l.length--; l.length > 0 {
		return
	}
	p := &t.chains[l.hash%buckets]
	for *p != l {
		p = &(*p).next
	}
	*p = l.next
	*t.held -= l.memory()
	l.label = reusable(l.label)
	*t.spare += l.memory()
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
