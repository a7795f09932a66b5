package attrproto

import (
	"io"
	"math/rand/v2"
	"testing/iotest"
)

// readerWrappers are ways for a stream to hand out the same bytes.
var readerWrappers = map[string]func(io.Reader) io.Reader{
	"all at once":        func(r io.Reader) io.Reader { return r },
	"one byte at a time": iotest.OneByteReader,
	"half of the buffer": iotest.HalfReader,
	"error with data":    iotest.DataErrReader,
	"random pieces":      func(r io.Reader) io.Reader { return &pieces{r, rand.New(rand.NewPCG(1, 2))} },
}

// pieces reads pieces of random length.
type pieces struct {
	src    io.Reader
	random *rand.Rand
}

func (p *pieces) Read(b []byte) (int, error) {
	return p.src.Read(b[:min(len(b), 1+p.random.IntN(7))])
}
