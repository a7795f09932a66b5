package diff

import (
	"bytes"
	"strconv"
	"strings"
)

// keptSurplus is in how many percent of the random transcripts clients may send
// descriptors that nobody asked for. Ours disconnects such a client, and from there
// on there is little to compare.
const keptSurplus = 30

// asksFor tells whether a message is a whole request to save a session, after which
// a descriptor is due.
func asksFor(data []byte) bool {
	rest, found := bytes.CutPrefix(data, []byte("request\x00save_endp\x00ttl\x00"))
	if !found {
		return false
	}
	values := bytes.Split(rest, []byte{0})
	return len(values) == 7 && isTTL(string(values[0])) && string(values[1]) == "label" && string(values[3]) == "property" &&
		len(values[2])+len(values[4]) < 1000 && len(values[5])+len(values[6]) == 0
}

// isTTL tells whether sscanf("%u") makes a positive number of a text, as the
// reference does.
func isTTL(text string) bool {
	text = strings.TrimLeft(text, " \t\n\v\f\r")
	digits, negative := strings.CutPrefix(text, "-")
	if !negative {
		digits = strings.TrimPrefix(text, "+")
	}
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if negative && err == nil {
		n = -n
	}
	return int32(n) > 0
}

// dueTo follows one client, and tells of each of its messages whether it is one with
// a descriptor that is due. A client that has sent anything but whole lists before
// may be in the middle of something.
type dueTo struct{ asked bool }

func (d *dueTo) due(data []byte, descriptors int) bool {
	due := d.asked && descriptors == 1 && string(data) == "\x00"
	d.asked = asksFor(data)
	return due || descriptors == 0
}

// dropSurplus takes away descriptors that are not due.
func dropSurplus(messages []message) {
	clients := make(map[string]*dueTo)
	for i := range messages {
		m := &messages[i]
		if clients[m.client] == nil {
			clients[m.client] = new(dueTo)
		}
		if m.do == Send && !clients[m.client].due(m.data, m.descriptors) {
			m.descriptors = 0
		}
	}
}

// surplus tells whether a client may send descriptors that are not due.
func (t *Transcript) surplus() bool {
	clients := make(map[string]*dueTo)
	for _, step := range t.Steps {
		if clients[step.Client] == nil {
			clients[step.Client] = new(dueTo)
		}
		if step.Do == Send && !clients[step.Client].due(step.Data, step.Descriptors) {
			return true
		}
		if step.Do == Hold {
			return t.sendsDescriptors()
		}
	}
	return false
}

func (t *Transcript) sendsDescriptors() bool {
	for _, step := range t.Steps {
		if step.Descriptors > 0 {
			return true
		}
	}
	return false
}
