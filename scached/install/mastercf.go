package install

import (
	"bytes"
	"fmt"
	"strings"
)

// commandField is where an entry of master.cf names its program; arguments
// follow.
const commandField = 7

// chrootField is where it says whether the program runs in the jail.
const chrootField = 4

// An entry is a service in the text of master.cf.
type entry struct {
	words  []string // braces around an argument removed, as master(8) does
	offset int      // of the command in the text
	begin  int      // of the entry
	end    int      // and after its last byte
}

func (e *entry) command() string { return e.words[commandField] }
func (e *entry) args() []string  { return e.words[commandField+1:] }
func (e *entry) chroot() bool    { return e.words[chrootField] == "y" }

// withCommand returns the text with another command, and the same otherwise.
func (e *entry) withCommand(text []byte, name string) []byte {
	end := e.offset + len(e.command())
	return bytes.Join([][]byte{text[:e.offset], text[end:]}, []byte(name))
}

// findService returns the one entry of that name and type.
func findService(text []byte, name, transport string) (*entry, error) {
	found := findServices(text, name, transport)
	if len(found) != 1 {
		return nil, fmt.Errorf("not exactly one service %s of type %s, but %d", name, transport, len(found))
	}
	if len(found[0].words) <= commandField {
		return nil, fmt.Errorf("service %s: too few fields", name)
	}
	return found[0], nil
}

// findServices returns all of them, of which master(8) wants there to be one.
func findServices(text []byte, name, transport string) (found []*entry) {
	for _, line := range logicalLines(text) {
		if e := parseEntry(line); len(e.words) > 1 && e.words[0] == name && e.words[1] == transport {
			found = append(found, e)
		}
	}
	return found
}

// A logicalLine is a line with those that continue it, comments left out, and
// where each byte of it stands in the file.
type logicalLine struct {
	text    []byte
	offsets []int
}

// logicalLines splits a configuration file as Postfix does (src/util/readlline.c):
// a line that starts with white space continues the one before, and empty lines
// and comments are nothing, wherever they stand.
func logicalLines(text []byte) (lines []*logicalLine) {
	offset := 0
	for line := range bytes.Lines(text) {
		blank := bytes.TrimLeft(line, " \t\r\n\v\f")
		if len(blank) > 0 && blank[0] != '#' {
			if len(blank) == len(line) || len(lines) == 0 {
				lines = append(lines, new(logicalLine))
			}
			last := lines[len(lines)-1]
			for i, c := range line {
				last.text = append(last.text, c)
				last.offsets = append(last.offsets, offset+i)
			}
		}
		offset += len(line)
	}
	return lines
}

// parseEntry splits a line into words. An argument in braces is one word
// (src/util/mystrtok.c).
func parseEntry(line *logicalLine) *entry {
	e := &entry{begin: line.offsets[0], end: line.offsets[len(line.offsets)-1] + 1}
	for rest := line.text; ; {
		rest = bytes.TrimLeft(rest, " \t\r\n\v\f")
		if len(rest) == 0 {
			return e
		}
		if len(e.words) == commandField {
			e.offset = line.offsets[len(line.text)-len(rest)]
		}
		n := wordLength(rest)
		word := string(rest[:n])
		if len(e.words) > commandField && word[0] == '{' && word[n-1] == '}' {
			word = strings.TrimSpace(word[1 : n-1])
		}
		e.words, rest = append(e.words, word), rest[n:]
	}
}

// wordLength is the length of the word at the start of a text, white space within
// braces included.
func wordLength(text []byte) int {
	depth := 0
	for i, c := range text {
		switch c {
		case '{':
			depth++
		case '}':
			depth--
		case ' ', '\t', '\r', '\n', '\v', '\f':
			if depth <= 0 {
				return i
			}
		}
	}
	return len(text)
}
