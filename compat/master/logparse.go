package master

import (
	"strconv"
	"strings"
)

// The three forms in which a daemon's line reaches a log.
//
// Standard error (-V): "postfix/scache: text".
// Log file and postlog socket: "Nov 21 19:28:28 host postfix/scache[7835]: text".
// Syslog socket: "<22>Nov 21 19:28:28 postfix/scache[7835]: text".
//
// (src/util/msg_vstream.c, src/util/msg_logger.c, and the C library's syslog.)

const stampLen = len("Nov 21 19:28:28 ")

func parseStderrLine(raw string) LogLine {
	return splitTag(raw, raw)
}

func parseFileLine(raw string) LogLine {
	if len(raw) < stampLen {
		return LogLine{Raw: raw, Text: raw}
	}
	_, rest, ok := strings.Cut(raw[stampLen:], " ")
	if !ok {
		return LogLine{Raw: raw, Text: raw}
	}
	return splitTag(raw, rest)
}

func parseSyslogLine(raw string) LogLine {
	_, rest, ok := strings.Cut(raw, ">")
	if !ok || len(rest) < stampLen {
		return LogLine{Raw: raw, Text: raw}
	}
	return splitTag(raw, rest[stampLen:])
}

// splitTag takes "tag[pid]: text" or "tag: text" apart. A line without a tag,
// as a crashing program writes it, is all text.
func splitTag(raw, s string) LogLine {
	tag, text, ok := strings.Cut(s, ": ")
	if !ok || strings.ContainsAny(tag, " \t") {
		return LogLine{Raw: raw, Text: s}
	}
	line := LogLine{Raw: raw, Tag: tag, Text: text}
	if name, number, ok := strings.Cut(tag, "["); ok && strings.HasSuffix(number, "]") {
		if pid, err := strconv.Atoi(strings.TrimSuffix(number, "]")); err == nil {
			line.Tag, line.PID = name, pid
		}
	}
	return line
}
