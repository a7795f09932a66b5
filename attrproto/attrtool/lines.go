package attrtool

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"scache/attrproto"
)

// linePrinter writes the format Lines, a list at a time.
type linePrinter struct {
	w      *bufio.Writer
	indent string
}

func (p *linePrinter) item(item attrproto.Item) error {
	line := ""
	switch item.Kind {
	case attrproto.ItemOpen:
		line, p.indent = "{", "  "
	case attrproto.ItemClose:
		line, p.indent = "}", ""
	case attrproto.ItemEnd:
		p.indent = ""
	default:
		line = p.indent + quoteName(string(item.Name)) + " = " + strconv.Quote(string(item.Value))
	}
	_, err := p.w.WriteString(line + "\n")
	if item.Kind == attrproto.ItemEnd {
		err = p.w.Flush()
	}
	return err
}

func (p *linePrinter) flush() error { return p.w.Flush() }

// quoteName quotes a name unless it is as plain as names are.
func quoteName(name string) string {
	if name == "" {
		return `""`
	}
	for _, c := range []byte(name) {
		if c != '-' && c != '_' && c != '.' && (c < '0' || c > '9') && (c|' ' < 'a' || c|' ' > 'z') {
			return strconv.Quote(name)
		}
	}
	return name
}

// maxLine is the longest line that Encode reads, in bytes.
const maxLine = 16 << 20

// readLines reads the format Lines.
func readLines(r io.Reader, f func(attrproto.Item) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	number := 0
	for lines.Scan() {
		number++
		line := strings.TrimSpace(lines.Text())
		if strings.HasPrefix(line, "#") {
			continue
		}
		item, err := parseLine(line)
		if err == nil {
			err = f(item)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("line %d: %w", number+1, err)
	}
	return nil
}

func parseLine(line string) (item attrproto.Item, err error) {
	switch line {
	case "":
		return attrproto.Item{Kind: attrproto.ItemEnd}, nil
	case "{":
		return attrproto.Item{Kind: attrproto.ItemOpen}, nil
	case "}":
		return attrproto.Item{Kind: attrproto.ItemClose}, nil
	}
	name, rest, err := cutName(line)
	if err != nil {
		return item, err
	}
	value, ok := strings.CutPrefix(strings.TrimSpace(rest), "=")
	if !ok {
		return item, fmt.Errorf("no = after the name %q", name)
	}
	if value, err = strconv.Unquote(strings.TrimSpace(value)); err != nil {
		return item, fmt.Errorf("the value of %q is not a quoted string", name)
	}
	return attrproto.Item{Kind: attrproto.ItemAttribute, Name: []byte(name), Value: []byte(value)}, nil
}

// cutName takes a name off a line, with or without quotes.
func cutName(line string) (name, rest string, err error) {
	if line[0] != '"' {
		end := strings.IndexAny(line, " \t=")
		if end < 0 {
			end = len(line)
		}
		return line[:end], line[end:], nil
	}
	quoted, err := strconv.QuotedPrefix(line)
	if err != nil {
		return "", "", fmt.Errorf("a name without its second quote")
	}
	name, err = strconv.Unquote(quoted)
	return name, line[len(quoted):], err
}
