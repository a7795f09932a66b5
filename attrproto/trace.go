package attrproto

// Event says what a Scan or a Reader is doing, for verbose logging.
type Event uint8

const (
	EventWanted Event = iota // about to look for this attribute
	EventName                // read this name; empty at the end of the list
	EventValue               // read this value

	// What [Reader.More] found; the text is the byte ahead.
	EventEnd   // the end of the list, which is consumed
	EventAhead // another attribute
	EventEOF   // the end of the input
)

// Message is the line that the reference logs when it is verbose. The stream
// is what it calls the input, for example "scache socket". Bytes that are not
// printable are left for the logger to replace.
func (e Event) Message(stream string, text []byte) string {
	shown := string(text)
	if shown == "" {
		shown = "(end)" // of empty values, too
	}
	switch e {
	case EventWanted:
		return stream + ": wanted attribute: " + shown
	case EventName:
		return "input attribute name: " + shown
	case EventEnd:
		return stream + ": terminator (consumed)"
	case EventAhead:
		return stream + ": non-terminator '" + string(text) + "' (lookahead)"
	case EventEOF:
		return stream + ": EOF"
	}
	return "input attribute value: " + shown
}
