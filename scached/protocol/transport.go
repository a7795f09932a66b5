package protocol

import (
	"bytes"
	"fmt"
	"strings"
)

// The first field of a label, up to the first newline, is the name of the
// transport that smtp(8) runs as (src/smtp/smtp_key.c). It keeps the sessions of
// transports apart, which may differ in anything.

// maxTransports is how many transports are counted apart. The names come from
// clients; those that come later, or are too long, are counted together, as is
// what has no such field.
const (
	maxTransports = 32
	maxName       = 64
	other         = 0
)

// A transport is what is counted for one.
type transport struct {
	name                          string
	hits, misses, saves, sessions uint64
}

// Transports are those that were seen, from 1 on.
type transports struct {
	seen [maxTransports]transport
	used int
}

func (t *transports) open() {
	t.seen[other].name = "other"
	t.used = other + 1
}

func (t *transports) of(number uint8) *transport { return &t.seen[number] }

// number returns the number of the transport with that name.
func (t *transports) number(name []byte) uint8 {
	for i := other + 1; i < t.used; i++ {
		if t.seen[i].name == string(name) {
			return uint8(i)
		}
	}
	if t.used == maxTransports || len(name) > maxName {
		return other
	}
	t.seen[t.used].name = string(name)
	t.used++
	return uint8(t.used - 1)
}

// A NameSpace lets a transport save and look up sessions as another one.
type NameSpace struct{ Transport, Space string }

// ParseNameSpaces reads a list such as "relay=smtp, slow=smtp". Each transport
// may stand in it once.
func ParseNameSpaces(text string) (spaces []NameSpace, err error) {
	seen := map[string]bool{}
	for _, word := range strings.FieldsFunc(text, func(c rune) bool { return c == ',' || strings.ContainsRune(" \t\r\n", c) }) {
		transport, space, ok := strings.Cut(word, "=")
		switch {
		case !ok || transport == "" || space == "" || strings.Contains(space, "="):
			return nil, fmt.Errorf("name space %q: want transport=name", word)
		case seen[transport]:
			return nil, fmt.Errorf("name space %q: %s has one already", word, transport)
		}
		seen[transport] = true
		spaces = append(spaces, NameSpace{transport, space})
	}
	return spaces, nil
}

// label returns a label as it goes into the cache, that is, in its name space,
// and the number of the transport that it comes from. The label is borrowed; so
// is the result, until the request was carried out.
func (s *Service) label(label []byte) ([]byte, uint8) {
	end := bytes.IndexByte(label, '\n')
	if end < 0 {
		return label, other
	}
	name := label[:end]
	for i := range s.NameSpaces {
		if space := &s.NameSpaces[i]; space.Transport == string(name) {
			begin := len(s.labels)
			s.labels = append(append(s.labels, space.Space...), label[end:]...)
			label = s.labels[begin:]
			break
		}
	}
	return label, s.transports.number(name)
}

// forgetLabels ends a request.
func (s *Service) forgetLabels() { s.labels = keep(s.labels, nil) }
