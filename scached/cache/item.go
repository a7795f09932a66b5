package cache

// An item is a session under its endpoint or a binding under its destination.
type item struct {
	links    [orders]links
	list     *list
	place    place // in the journal of its kind
	sequence uint64
	saved    int64 // in seconds
	due      int64 // in seconds
	timed    bool
	binding  bool
	tag      uint8 // the user's
	session  int   // the descriptor, -1 when it has been given away
	// One block: the property, then with a binding the endpoint label.
	text  []byte
	split int
	hash  uint64 // of the endpoint label
}

func (i *item) property() []byte { return i.text[:i.split] }
func (i *item) endpoint() []byte { return i.text[i.split:] }
func (i *item) memory() int      { return itemSize + cap(i.text) }

// same tells whether a binding is of this endpoint, with this property.
func (i *item) same(property, endpoint []byte, hash uint64) bool {
	return i.hash == hash && i.split == len(property) &&
		string(i.endpoint()) == string(endpoint) && string(i.property()) == string(property)
}

// A pool is all sessions, or all bindings.
type pool struct {
	queue   // byUse
	journal journal
	table   *table
	memory  *int // see Memory
	count   int
}

// enter puts a new item at the end of everything.
func (p *pool) enter(i *item, l *list) {
	p.table.add(l, i)
	p.push(byUse, i)
	if i.binding {
		l.used.push(byLabelUse, i)
	}
	p.journal.add(i)
	p.count++
	*p.memory += i.memory()
}

// leave takes an item out of everything.
func (p *pool) leave(i *item) {
	p.remove(byUse, i)
	if i.binding {
		i.list.used.remove(byLabelUse, i)
	}
	p.journal.remove(i)
	p.table.remove(i)
	p.count--
	*p.memory -= i.memory()
}

// use notes that a binding was of use.
func (p *pool) use(i *item) {
	p.renew(byUse, i)
	i.list.used.renew(byLabelUse, i)
}
