package cache

// A journal holds the items of a pool in the order in which they were saved, so
// that they can be listed a page at a time: the place after any sequence number
// is found at a cost that does not depend on how many there are, nor on which
// have gone since. It is a list of blocks. An item that goes leaves a gap; two
// neighbours that are half empty become one, so that most of each block is used.
type journal struct {
	first, last *block
	free        *block
}

const blockSize = 128

type block struct {
	prev, next *block
	items      [blockSize]*item // nil where one has gone
	used       int              // up to the last one that was put in
	held       int              // that are there
	highest    uint64           // sequence number of the last one that was put in
}

// place is where in the journal an item is.
type place struct {
	block *block
	at    int
}

func (j *journal) add(i *item) {
	b := j.last
	switch {
	case b == nil:
		b = j.push()
	case b.used < blockSize:
	case b.held <= blockSize/2:
		b.close()
	default:
		b = j.push()
	}
	b.put(i)
}

func (b *block) put(i *item) {
	i.place = place{b, b.used}
	b.items[b.used] = i
	b.used++
	b.held++
	b.highest = i.sequence
}

func (j *journal) remove(i *item) {
	b := i.place.block
	b.items[i.place.at] = nil
	b.held--
	switch {
	case b.held == 0:
		j.unlink(b)
	case b.next != nil && b.held+b.next.held <= blockSize/2:
		j.merge(b)
	case b.prev != nil && b.held+b.prev.held <= blockSize/2:
		j.merge(b.prev)
	}
}

// close closes the gaps.
func (b *block) close() {
	used := b.used
	b.used, b.held = 0, 0
	for _, i := range b.items[:used] {
		if i != nil {
			b.put(i)
		}
	}
	clear(b.items[b.used:used])
}

// merge moves the items of the next block into this one.
func (j *journal) merge(b *block) {
	b.close()
	next := b.next
	for _, i := range next.items[:next.used] {
		if i != nil {
			b.put(i)
		}
	}
	clear(next.items[:next.used])
	j.unlink(next)
}

func (j *journal) push() *block {
	b := j.free
	if b == nil {
		b = new(block)
	} else {
		j.free = nil
	}
	b.prev = j.last
	if j.last == nil {
		j.first = b
	} else {
		j.last.next = b
	}
	j.last = b
	return b
}

// unlink takes a block out of the list, in which there is nothing any more. One
// is kept to be used again.
func (j *journal) unlink(b *block) {
	if b.prev == nil {
		j.first = b.next
	} else {
		b.prev.next = b.next
	}
	if b.next == nil {
		j.last = b.prev
	} else {
		b.next.prev = b.prev
	}
	b.prev, b.next, b.used, b.held, b.highest = nil, nil, 0, 0, 0
	j.free = b
}

// after returns the place of the first item with a higher sequence number. Its
// block is nil when there is none.
func (j *journal) after(sequence uint64) (p place) {
	for b := j.first; b != nil; b = b.next {
		if b.highest <= sequence {
			continue
		}
		for at, i := range b.items[:b.used] {
			if i != nil && i.sequence > sequence {
				return place{b, at}
			}
		}
	}
	return place{}
}

func (p place) item() *item { return p.block.items[p.at] }

// next returns the place of the item after that at p.
func (p place) next() place {
	for b, at := p.block, p.at+1; b != nil; b, at = b.next, 0 {
		for ; at < b.used; at++ {
			if b.items[at] != nil {
				return place{b, at}
			}
		}
	}
	return place{}
}
