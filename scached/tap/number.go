package tap

// mostKnown is how many descriptors are remembered at least. A busy cache holds
// fewer.
const mostKnown = 50_000

// numbers count descriptors in the order in which clients send them, from 1 on, and
// know them again when the server hands them out.
type numbers struct {
	last          int
	recent, older map[uint64]int // by cookie
}

// sent numbers a descriptor that a client has sent.
func (n *numbers) sent(cookie uint64) int {
	n.last++
	if cookie != 0 {
		if len(n.recent) >= mostKnown || n.recent == nil {
			n.older, n.recent = n.recent, make(map[uint64]int)
		}
		n.recent[cookie] = n.last
	}
	return n.last
}

// handedOut is the number of a descriptor that the server has sent; 0 for one that
// is not known.
func (n *numbers) handedOut(cookie uint64) int {
	if number := n.recent[cookie]; number != 0 {
		return number
	}
	return n.older[cookie]
}
