package diff

import (
	"bytes"
	"slices"
)

// spoilList makes a mistake in a list of attributes.
func (g *generator) spoilList(l list) list {
	at := g.IntN(len(l))
	switch g.IntN(8) {
	case 0:
		return slices.Delete(l, at, at+1)
	case 1:
		return slices.Insert(l, at, l[g.IntN(len(l))])
	case 2:
		other := g.IntN(len(l))
		l[at], l[other] = l[other], l[at]
	case 3:
		l[at].name = g.word()
	case 4:
		l[at].value = g.word()
	case 5:
		l = slices.Insert(l, at, attribute{g.word(), g.word()})
	case 6: // a name without a value
		l[at].value = l[at].name
		l[at].name = ""
	case 7:
		l[at].name, l[at].value = l[at].value, l[at].name
	}
	return l
}

// spoil makes mistakes in what clients send and when.
func (g *generator) spoil(messages []message) []message {
	for g.chance(45) {
		at := g.IntN(len(messages))
		if messages[at].do == Send {
			messages = g.spoilMessage(messages, at)
		}
	}
	return messages
}

func (g *generator) spoilMessage(all []message, at int) []message {
	m := &all[at]
	switch g.IntN(13) {
	case 0:
		return slices.Delete(all, at, at+1)
	case 1:
		return slices.Insert(all, at, *m)
	case 2:
		if other := g.IntN(len(all)); all[other].do == Send && all[other].client == m.client {
			all[at], all[other] = all[other], all[at]
		}
	case 3, 4:
		return g.glue(all, at)
	case 5, 6:
		return g.split(all, at)
	case 7:
		m.descriptors = g.IntN(4)
	case 8:
		m.data = append(bytes.Clone(m.data), pick(g, [][]byte{dummy, {0}, {0, 0}, g.garbage()})...)
	case 9:
		m.data = append(g.garbage(), m.data...)
	case 10:
		return slices.Insert(all, at, message{client: m.client, do: Send, data: pick(g, [][]byte{dummy, {0}, g.garbage()}), descriptors: pick(g, []int{0, 0, 1})})
	default:
		m.data = g.spoilBytes(bytes.Clone(m.data))
	}
	if len(m.data) == 0 {
		return slices.Delete(all, at, at+1)
	}
	return all
}

// glue puts a message and those of the same client that follow into one.
func (g *generator) glue(all []message, at int) []message {
	n := 1 + g.IntN(3)
	for at+1 < len(all) && n > 0 && all[at+1].do == Send && all[at+1].client == all[at].client {
		all[at].data = slices.Concat(all[at].data, all[at+1].data)
		all[at].descriptors += all[at+1].descriptors
		all = slices.Delete(all, at+1, at+2)
		n--
	}
	return all
}

// split makes several messages out of one. The descriptors go with any of them.
func (g *generator) split(all []message, at int) []message {
	m := all[at]
	pieces := 2 + g.IntN(3)
	if len(m.data) < 64 && g.chance(20) {
		pieces = len(m.data)
	}
	var parts []message
	for i := range pieces {
		rest := len(m.data)
		if i < pieces-1 {
			rest = rest / (pieces - i)
			if g.chance(70) {
				rest = g.IntN(len(m.data) + 1)
			}
		}
		if rest > 0 {
			parts = append(parts, message{client: m.client, do: Send, data: m.data[:rest:rest]})
			m.data = m.data[rest:]
		}
	}
	if len(parts) > 0 {
		parts[g.IntN(len(parts))].descriptors = m.descriptors
	}
	return slices.Replace(all, at, at+1, parts...)
}

// spoilBytes changes a few bytes, without regard to what they mean.
func (g *generator) spoilBytes(data []byte) []byte {
	for range 1 + g.IntN(3) {
		if len(data) == 0 {
			return data
		}
		at := g.IntN(len(data))
		switch g.IntN(4) {
		case 0:
			data = slices.Delete(data, at, at+1)
		case 1:
			data = slices.Insert(data, at, g.anyByte())
		case 2:
			data[at] = g.anyByte()
		case 3:
			data = data[:at]
		}
	}
	return data
}

func (g *generator) anyByte() byte {
	if g.chance(40) {
		return 0
	}
	return byte(g.IntN(256))
}
