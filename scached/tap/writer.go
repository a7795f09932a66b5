package tap

import (
	"maps"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// A writer makes lines of events. It is used by one goroutine.
//
// Each line is an object in JSON, with the members that the transcripts of the
// project have: "client", "step", "data", "fds", "token"; "recv", "recv_fds";
// "closed". Besides, there is "at", the seconds since the beginning. A line with
// "recording" begins a recording, in the middle of a file when another process
// goes on with it; it says when that began.
type writer struct {
	options Options
	file    *file
	names   *Pseudonyms // nil for plain recordings
	ready   bool        // file and names are there

	began   time.Time
	opened  bool // the line that begins a recording is written
	line    []byte
	clients map[int]*client // those that are connected, or were at the last flush
	event   event
	unsaid  int // events or lines that were lost since the last line
}

// A client is what is known of one: what of the last attribute of each direction
// has come so far.
type client struct {
	send, receive half
	recorded      bool // there are lines about it in a file
	left          bool
}

// A half is a message that does not end where an attribute does. It is recorded
// with what follows, so that a name is never taken for two.
type half struct {
	data   []byte
	tokens []int
	at     time.Time
}

// longestHalf is how many bytes wait for the end of an attribute.
const longestHalf = 64 << 10

func (w *writer) open() error {
	if w.ready {
		return nil
	}
	if !w.options.Plain {
		key, err := readKey(w.options.Path + KeySuffix)
		if err != nil {
			return err
		}
		w.names = NewPseudonyms(key)
	}
	w.file = newFile(w.options)
	w.clients = make(map[int]*client)
	w.ready = true
	return w.file.open()
}

func (w *writer) close() {
	if w.ready {
		w.file.close()
	}
}

// write writes events, and how many were lost after them.
func (w *writer) write(events []byte, lost int) error {
	if err := w.open(); !w.ready {
		for len(events) > 0 {
			_, before, rest := w.event.next(events)
			w.unsaid, events = w.unsaid+before+1, rest
		}
		return err
	}
	w.line = w.line[:0]
	var failed error
	for len(events) > 0 {
		data, before, rest := w.event.next(events)
		events = rest
		w.lose(before)
		w.take(&w.event, data)
		if len(w.line) >= 64<<10 || len(events) == 0 {
			if err := w.flush(); err != nil {
				failed = err
			}
		}
	}
	if w.lose(lost); lost > 0 {
		failed = w.flush()
	}
	return failed
}

func (w *writer) lose(events int) {
	if w.unsaid += events; w.unsaid > 0 {
		w.line = append(w.line, `{"lost":`...)
		w.line = strconv.AppendInt(w.line, int64(w.unsaid), 10)
		w.line = append(w.line, "}\n"...)
		w.unsaid = 0
		clear(w.clients) // some may have left
	}
}

// flush writes the lines that there are, into another file if this one is full.
func (w *writer) flush() error {
	if len(w.line) == 0 {
		return nil
	}
	lines := w.line
	if w.file.full(len(lines)) {
		if err := w.file.rotate(); err != nil {
			return w.drop(lines, err)
		}
		w.opened = false
	}
	if !w.opened {
		lines = append(w.head(), lines...)
	}
	if err := w.file.write(lines); err != nil {
		return w.drop(lines, err)
	}
	w.recorded()
	return nil
}

// drop gives lines up.
func (w *writer) drop(lines []byte, err error) error {
	for _, c := range lines {
		if c == '\n' {
			w.unsaid++
		}
	}
	w.line = w.line[:0]
	return err
}

// head is the line that begins a recording, or with which it goes on in another
// file: then with lines for the clients that were connected.
func (w *writer) head() []byte {
	p := append([]byte(nil), `{"recording":1,"began":`...)
	p = appendSeconds(p, time.Duration(w.began.UnixMicro())*time.Microsecond)
	p = append(p, `,"plain":`...)
	p = strconv.AppendBool(p, w.names == nil)
	p = append(p, `,"setup":{"ttl_limit":`+strconv.Itoa(w.options.TTLLimit)+"}}\n"...)
	for _, number := range slices.Sorted(maps.Keys(w.clients)) {
		if w.clients[number].recorded {
			p = append(p, `{"client":"`+strconv.Itoa(number)+`","step":"connect","continued":true}`+"\n"...)
		}
	}
	return p
}

// recorded notes that all lines so far are in a file.
func (w *writer) recorded() {
	w.opened = true
	w.line = w.line[:0]
	for number, client := range w.clients {
		if client.recorded = true; client.left {
			delete(w.clients, number)
		}
	}
}

// take makes lines of an event.
func (w *writer) take(e *event, data []byte) {
	if w.began.IsZero() {
		w.began = e.at
	}
	c := w.clients[e.client]
	if c == nil {
		c = new(client)
		w.clients[e.client] = c
	}
	switch e.kind {
	case eventConnect:
		w.step(e, "connect")
	case eventSend:
		w.complete(e.client, &c.receive, "recv", true)
		w.message(e, &c.send, "data", data)
	case eventReceive:
		w.complete(e.client, &c.send, "data", true)
		w.message(e, &c.receive, "recv", data)
	default:
		w.complete(e.client, &c.send, "data", true)
		w.complete(e.client, &c.receive, "recv", true)
		switch e.kind {
		case eventShutdown:
			w.step(e, "shutdown_write")
		case eventClose:
			w.step(e, "close")
			c.left = true
		case eventEnd:
			w.begin(e.client, e.at)
			w.line = append(w.line, `,"closed":"eof"}`+"\n"...)
			c.left = true
		}
	}
}

// begin begins a line.
func (w *writer) begin(client int, at time.Time) {
	w.line = append(w.line, `{"at":`...)
	w.line = appendSeconds(w.line, max(at.Sub(w.began), 0))
	w.line = append(w.line, `,"client":"`...)
	w.line = strconv.AppendInt(w.line, int64(client), 10)
	w.line = append(w.line, '"')
}

func (w *writer) step(e *event, name string) {
	w.begin(e.client, e.at)
	w.line = append(w.line, `,"step":"`+name+`"}`+"\n"...)
}

// message takes what was said in one direction, and makes a line of it when it ends
// with an attribute.
func (w *writer) message(e *event, h *half, member string, data []byte) {
	if len(e.tokens) > 0 {
		w.complete(e.client, h, member, true) // a descriptor's bytes are its own
	}
	if len(h.data) == 0 {
		h.at = e.at
	}
	h.data = append(h.data, data...)
	h.tokens = append(h.tokens, e.tokens...)
	w.complete(e.client, h, member, len(e.tokens) > 0 || len(h.data) > longestHalf)
}

// complete makes a line of a message if it ends with an attribute, or anyway.
func (w *writer) complete(client int, h *half, member string, anyway bool) {
	if len(h.data) == 0 || h.data[len(h.data)-1] != 0 && !anyway {
		return
	}
	w.begin(client, h.at)
	if member == "data" {
		w.line = append(w.line, `,"step":"send"`...)
	}
	w.line = append(w.line, `,"`+member+`":`...)
	data := h.data
	if w.names != nil {
		data = w.names.Message(data)
	}
	w.line = appendText(w.line, data)
	if n := len(h.tokens); n > 0 && member == "data" {
		w.line = append(w.line, `,"fds":`...)
		w.line = strconv.AppendInt(w.line, int64(n), 10)
		w.line = append(w.line, `,"token":`...)
		w.line = strconv.AppendInt(w.line, int64(h.tokens[0]), 10)
	} else if n > 0 {
		separator := `,"recv_fds":[`
		for _, token := range h.tokens {
			w.line = append(w.line, separator...)
			w.line = strconv.AppendInt(w.line, int64(token), 10)
			separator = ","
		}
		w.line = append(w.line, ']')
	}
	w.line = append(w.line, "}\n"...)
	h.data, h.tokens = h.data[:0], h.tokens[:0]
}

// appendSeconds appends a time in seconds, to the microsecond.
func appendSeconds(p []byte, d time.Duration) []byte {
	micro := d.Microseconds()
	p = strconv.AppendInt(p, micro/1e6, 10)
	p = append(p, '.')
	fraction := strconv.AppendInt(nil, 1e6+micro%1e6, 10)
	return append(p, fraction[1:]...)
}

// appendText appends bytes as a string in JSON with a character for each.
func appendText(p, data []byte) []byte {
	const hex = "0123456789abcdef"
	p = append(p, '"')
	for _, c := range data {
		switch {
		case c == '"' || c == '\\':
			p = append(p, '\\', c)
		case c == '\n':
			p = append(p, '\\', 'n')
		case c < ' ':
			p = append(p, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			p = utf8.AppendRune(p, rune(c))
		}
	}
	return append(p, '"')
}
