package diff

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// quote shows bytes in Go's way, a NUL as \0 and long runs of a byte shortened.
func quote(data []byte) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(data); {
		n := runLength(data[i:])
		if n < longRun {
			n = 1
		}
		b.WriteString(quoteByte(data, i))
		if n > 1 {
			fmt.Fprintf(&b, "{%d times}", n)
		}
		i += n
	}
	b.WriteByte('"')
	return b.String()
}

func quoteByte(data []byte, i int) string {
	if data[i] != 0 {
		text := strconv.QuoteToASCII(string(data[i : i+1]))
		return text[1 : len(text)-1]
	}
	if i+1 < len(data) && data[i+1] >= '0' && data[i+1] <= '7' {
		return `\x00` // not to be taken for a longer octal number
	}
	return `\0`
}

// longRun is how many times a byte is repeated before it is shown as a number.
const longRun = 40

func runLength(data []byte) int {
	n := 1
	for n < len(data) && data[n] == data[0] {
		n++
	}
	return n
}

// String shows the step in a line.
func (s Step) String() string {
	text := string(s.Do)
	if s.Client != "" {
		text = s.Client + ": " + text
	}
	if len(s.Data) > 0 {
		text += " " + quote(s.Data)
	}
	if s.Descriptors > 0 {
		text += fmt.Sprintf(" with %d descriptors", s.Descriptors)
	}
	if s.Piece > 0 {
		text += fmt.Sprintf(" in pieces of %d", s.Piece)
	}
	if s.Token > 0 {
		text += fmt.Sprintf(" (descriptor %d)", s.Token)
	}
	if s.Seconds > 0 {
		text += fmt.Sprintf(" %d s", s.Seconds)
	}
	return text
}

// String shows the answer in a line.
func (a Answer) String() string {
	if a.empty() {
		return "nothing"
	}
	var parts []string
	if len(a.Data) > 0 {
		parts = append(parts, quote(a.Data))
	}
	for _, token := range a.Tokens {
		parts = append(parts, tokenText(token))
	}
	if a.End != "" {
		parts = append(parts, a.End)
	}
	return strings.Join(append(parts, a.Changed...), ", ")
}

func tokenText(token int) string {
	switch token {
	case 0:
		return "a descriptor"
	case -1:
		return "a descriptor that nobody sent"
	}
	return fmt.Sprintf("descriptor %d", token)
}

// String shows the outcome in a line.
func (o Outcome) String() string {
	if o.Skipped {
		return "not done"
	}
	text := o.Answer.String()
	if o.Failed != "" {
		text += ", failed: " + o.Failed
	}
	for _, client := range slices.Sorted(maps.Keys(o.Others)) {
		text += fmt.Sprintf("; client %q: %v", client, o.Others[client])
	}
	return text
}

// Print shows a transcript, with what the reference did and what ours did
// differently.
func (t *Transcript) Print(w io.Writer, reference *Result, differences []Difference) {
	bySteps := make(map[int][]Difference)
	for _, d := range differences {
		bySteps[d.Step] = append(bySteps[d.Step], d)
	}
	for i, step := range t.Steps {
		fmt.Fprintf(w, "%5d %v\n", i+1, step)
		if len(bySteps[i+1]) == 0 && reference != nil {
			fmt.Fprintf(w, "        %v\n", outcomeAt(reference, i))
		}
		for _, d := range bySteps[i+1] {
			fmt.Fprintf(w, "      - %s\n      + %s%s\n", d.Reference, d.Ours, d.label())
		}
	}
	for _, d := range bySteps[0] {
		fmt.Fprintf(w, "      %s%s:\n", d.What, d.label())
		printLines(w, strings.Split(d.Reference, "\n"), strings.Split(d.Ours, "\n"))
	}
}

func (d Difference) label() string {
	if d.Name == "" {
		return ""
	}
	return " [" + d.Name + "]"
}

// around is how many lines are shown before and after those that differ.
const around = 12

// printLines shows the lines in which two texts differ, and some around them.
func printLines(w io.Writer, a, b []string) {
	head, tail := 0, 0
	for head < min(len(a), len(b)) && a[head] == b[head] {
		head++
	}
	for tail < min(len(a), len(b))-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	if left := head - around; left > 0 {
		fmt.Fprintf(w, "        (%d lines)\n", left)
	}
	printEach(w, "       ", a[max(head-around, 0):head])
	printEach(w, "      -", a[head:len(a)-tail])
	printEach(w, "      +", b[head:len(b)-tail])
	printEach(w, "       ", a[len(a)-tail:len(a)-max(tail-around, 0)])
	if left := tail - around; left > 0 {
		fmt.Fprintf(w, "        (%d lines)\n", left)
	}
}

func printEach(w io.Writer, mark string, lines []string) {
	for _, line := range lines {
		fmt.Fprintf(w, "%s %s\n", mark, shorten(line))
	}
}

// shorten shows a line with its long runs shortened.
func shorten(line string) string {
	text := quote([]byte(line))
	return strings.ReplaceAll(text[1:len(text)-1], `\"`, `"`)
}
