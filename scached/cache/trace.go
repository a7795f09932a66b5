package cache

import "strconv"

// appendParts appends text and numbers of a log line.
func appendParts(line []byte, parts []any) []byte {
	for _, part := range parts {
		switch part := part.(type) {
		case string:
			line = append(line, part...)
		case []byte:
			line = append(line, part...)
		case int:
			line = strconv.AppendInt(line, int64(part), 10)
		}
	}
	return line
}
