package testdata

// A Tape is what a fuzz target reads its decisions from.
type Tape struct {
	Left []byte // borrowed, what has not been read
}

// Next is the next decision, a byte, or 0 at the end.
func (t *Tape) Next() int {
	if len(t.Left) == 0 {
		return 0
	}
	b := t.Left[0]
	t.Left = t.Left[1:]
	return int(b)
}

// Bytes are the next n bytes, or fewer at the end.
func (t *Tape) Bytes(n int) []byte {
	n = min(n, len(t.Left))
	b := t.Left[:n]
	t.Left = t.Left[n:]
	return b
}
