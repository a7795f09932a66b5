package script

import (
	"strconv"
	"strings"
)

// A block is what stands between a repeat and its end.
type block struct {
	line  int // where its repeat stands
	count int
	lines []sourceLine
	depth int // of repeats inside that are not at their end
}

// add takes a line, whose first word is given. It reports true when that is
// the end of the block instead.
func (b *block) add(line sourceLine, word string) (end bool) {
	switch {
	case word == "repeat":
		b.depth++
	case word == "end" && b.depth == 0:
		return true
	case word == "end":
		b.depth--
	}
	b.lines = append(b.lines, line)
	return false
}

func (r *runner) repeat(words []string) bool {
	if len(words) != 1 || atoi(words[0]) <= 0 {
		return false
	}
	r.block = &block{line: r.line, count: atoi(words[0])}
	return true
}

func (r *runner) end([]string) bool {
	r.error("end: no repeat")
	return true
}

// runBlock runs the lines of the block that has come to its end. "$n" is the
// number of the round, counted from 1, in lines that are not in a block
// inside: there it is that one's.
func (r *runner) runBlock() error {
	b := r.block
	r.block = nil
	for round := 1; round <= b.count; round++ {
		for _, line := range b.lines {
			if r.block == nil {
				line.text = strings.ReplaceAll(line.text, "$n", strconv.Itoa(round))
			}
			if err := r.take(line); err != nil {
				return err
			}
		}
	}
	return nil
}
