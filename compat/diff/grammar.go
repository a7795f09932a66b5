package diff

import "bytes"

// A list is the attributes of a request.
type list []attribute

type attribute struct{ name, value string }

func (l list) bytes() []byte { return append(l.open(), 0) }

// open is the list without its end.
func (l list) open() []byte {
	var b []byte
	for _, a := range l {
		b = append(append(b, a.name...), 0)
		b = append(append(b, a.value...), 0)
	}
	return b
}

// exchange makes one exchange of the protocol, as a good client leads it, except
// that its requests may be spoilt.
func (g *generator) exchange() []message {
	switch n := g.IntN(100); {
	case n < 30:
		return g.saveEndpoint()
	case n < 45:
		return g.saveDestination()
	case n < 70:
		return g.findEndpoint()
	case n < 87:
		return g.findDestination()
	case n < 93:
		return []message{g.request(list{{"request", g.word()}, {"label", g.word()}})}
	default:
		return []message{{do: Send, data: g.garbage()}}
	}
}

func (g *generator) saveEndpoint() []message {
	endpoint := pick(g, endpoints)
	g.sessions[endpoint]++
	descriptors := 1
	if !g.timeRuns && g.chance(12) {
		descriptors = g.IntN(4)
	}
	ttl := g.ttl()
	save := g.request(list{{"request", "save_endp"}, {"ttl", ttl}, {"label", endpoint}, {"property", g.property()}})
	if g.timeRuns && !isTTL(ttl) {
		return []message{save} // it is refused, and no descriptor is due
	}
	return []message{save, {do: Send, data: []byte{0}, descriptors: descriptors}}
}

func (g *generator) saveDestination() []message {
	destination, endpoint := pick(g, destinations), pick(g, endpoints)
	g.bindings[destination] = append(g.bindings[destination], endpoint)
	return []message{g.request(list{{"request", "save_dest"}, {"ttl", g.ttl()},
		{"label", destination}, {"property", g.property()}, {"label", endpoint}})}
}

func (g *generator) findEndpoint() []message {
	endpoint := pick(g, endpoints)
	find := g.request(list{{"request", "find_endp"}, {"label", endpoint}})
	return append([]message{find}, g.takeFrom(endpoint)...)
}

func (g *generator) findDestination() []message {
	destination := pick(g, destinations)
	find := g.request(list{{"request", "find_dest"}, {"label", destination}})
	for _, endpoint := range g.bindings[destination] {
		if rest := g.takeFrom(endpoint); rest != nil {
			return append([]message{find}, rest...)
		}
	}
	return []message{find}
}

// takeFrom is what a client says once it has found a session.
func (g *generator) takeFrom(endpoint string) []message {
	if g.sessions[endpoint] == 0 {
		return nil
	}
	g.sessions[endpoint]--
	g.sessions[endpoint] = max(g.sessions[endpoint], 1) // it may be there after all
	return []message{g.dummy(), g.dummy()}
}

func (g *generator) dummy() message {
	value := ""
	if g.chance(5) {
		value = g.word()
	}
	return g.request(list{{"dummy", value}})
}

// request makes a message of a list, most often without a mistake.
func (g *generator) request(l list) message {
	if g.timeRuns {
		return message{do: Send, data: l.bytes()}
	}
	if g.chance(12) {
		l = g.spoilList(append(list(nil), l...))
	}
	data := l.bytes()
	if len(l) > 0 && g.chance(6) {
		data = g.fill(l)
	}
	switch {
	case g.chance(2):
		data = data[:len(data)-1] // no end
	case g.chance(2):
		data = append(data, 0)
	}
	return message{do: Send, data: data}
}

// bufferSize is how much the reference reads at a time (VSTREAM_BUFSIZE in
// src/util/vstream.h).
const bufferSize = 4096

// fill makes a value so long that it, or the whole list, ends around a multiple
// of the buffer's size.
func (g *generator) fill(l list) []byte {
	want := bufferSize*(1+g.IntN(4)) + g.IntN(7) - 3
	at := g.IntN(len(l))
	have := len(l.bytes())
	if g.chance(30) {
		have = len(l[at].value)
	}
	filled := append(list(nil), l...)
	filled[at].value += string(bytes.Repeat([]byte{'x'}, max(want-have, 0)))
	return filled.bytes()
}

// ttl is never one that comes to an end while transcripts are played, whatever
// else is done to it, unless that is the point.
func (g *generator) ttl() string {
	if g.timeRuns {
		return pick(g, []string{"1", "1", "1", "2", "2", "3", "0", "444444"})
	}
	if g.chance(60) {
		return "444444"
	}
	return pick(g, []string{
		"+444444", " 444444", "\t\n444444", "0444444", "0000000000000000000000444444", "2147483647",
		"4295411740", "-18446744073709107172", "99999999999",
		"0", "-0", "-1", "-444444", "2147483648", "4294967295", "4294967296", "18446744073709551615",
		"18446744073709551616", "18446744073709551618", "9999999999999999999999", "-9223372036854775808",
		"", " ", "444444 ", "0x444444", "444444x", "4e9", "444444.5", "- 444444", "--444444", "+-444444", "abc", "+", "-",
		"44\xff4444", "4444\n44", "\xd9\xa3",
	})
}

func (g *generator) property() string {
	return pick(g, []string{"p" + Marker, "p" + Marker, "", "a=b\nc=d\n" + Marker, "\xff\xfe\x80" + Marker,
		"Gr\xc3\xbc\xc3\x9fe " + Marker, "tab\tbell\a" + Marker, "{", "}", "%s%n" + Marker})
}

func (g *generator) word() string {
	return pick(g, []string{"", "request", "ttl", "label", "property", "dummy", "status", "bogus", "{", "}", "Request", "label ",
		"save_endp", "find_endp", "find_dest", "save_dest", "find_endpx", "find_end", "e1" + Marker, "0", "\x01", "\xff",
		"\xc3\xa9", "\xc3", "\xe2\x82", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\x80", "a\nb", string(bytes.Repeat([]byte("y"), 300))})
}

func (g *generator) garbage() []byte {
	var data []byte
	for range 1 + g.IntN(6) {
		data = append(data, g.word()...)
		if g.chance(70) {
			data = append(data, 0)
		}
	}
	return data
}
