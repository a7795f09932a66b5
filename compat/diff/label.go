package diff

import (
	"bytes"
	"strings"
)

// Marker is what stands in a transcript for four letters that no other
// transcript has, where a daemon is used for many of them.
const Marker = "@@@@"

// A labeler replaces the marker. The zero value leaves it.
type labeler struct{ mark string }

// newLabeler returns the labeler number n, of about seventeen thousand.
func newLabeler(n int) labeler {
	mark := []byte("QAAA")
	for i := len(mark) - 1; i > 0; i-- {
		mark[i] += byte(n % 26)
		n /= 26
	}
	return labeler{string(mark)}
}

// steps returns what is to be sent. A marker counts also where it is sent in
// several messages.
func (l labeler) steps(steps []Step) []Step {
	if l.mark == "" {
		return steps
	}
	all := make(map[string][]byte)
	for _, step := range steps {
		all[step.Client] = append(all[step.Client], step.Data...)
	}
	for client := range all {
		all[client] = bytes.ReplaceAll(all[client], []byte(Marker), []byte(l.mark))
	}
	replaced := make([]Step, len(steps))
	for i, step := range steps {
		data := all[step.Client]
		all[step.Client] = data[len(step.Data):]
		step.Data = data[:len(step.Data):len(step.Data)]
		replaced[i] = step
	}
	return replaced
}

// answer and line put the marker back.
func (l labeler) answer(a Answer) Answer {
	if l.mark != "" {
		a.Data = bytes.ReplaceAll(a.Data, []byte(l.mark), []byte(Marker))
	}
	return a
}

func (l labeler) line(line string) string {
	if l.mark == "" {
		return line
	}
	return strings.ReplaceAll(line, l.mark, Marker)
}
