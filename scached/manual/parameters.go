package manual

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"scache/scached/daemon"
	"scache/scached/settings"
)

// own are the parameters of the connection cache.
func own() []daemon.Parameter { return new(settings.Settings).Parameters() }

// value says what a parameter's value is like, and what it is by default.
func value(p *daemon.Parameter) string {
	switch {
	case p.Default == "":
		return "default: empty"
	case p.Unit != "":
		return "default: " + p.Default + " " + p.Unit
	}
	return "default: " + p.Default
}

// says is everything that is to be said about a parameter, in sentences.
func says(p *daemon.Parameter) string {
	text := phrase(p.Help)
	if len(p.OneOf) > 0 {
		text += " One of " + strings.Join(p.OneOf, ", ") + "."
	}
	switch {
	case p.Kind() == "time":
		text += " A time with a unit: s, m, h, d or w."
	case p.Unit != "" && p.Min > 1:
		text += fmt.Sprintf(" At least %d.", p.Min)
	}
	return strings.TrimSpace(text + " " + p.More)
}

func (p *page) parameters(list []daemon.Parameter) {
	p.list(func() {
		for i := range list {
			parameter := &list[i]
			p.macro("It", "Va", parameter.Name, "Pq", value(parameter))
			p.text(says(parameter))
		}
	})
}

// Table writes the parameters of the connection cache as a table in Markdown.
func Table(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "| parameter | default | |\n| --- | --- | --- |\n")
	for _, p := range own() {
		fmt.Fprintf(out, "| `%s` | %s | %s |\n", p.Name, strings.TrimPrefix(value(&p), "default: "), says(&p))
	}
	return out.Flush()
}

// width of the comments in the sample.
const width = 78

// Sample writes a configuration file in which every parameter of the connection
// cache stands in a comment, with its default.
func Sample(w io.Writer) error {
	out := bufio.NewWriter(w)
	comment(out, "Parameters of scached, the connection cache server; see scached.cf(5). "+
		"What stands here comes after main.cf, and before what master.cf has after -o. "+
		"Postfix itself does not read this file. "+
		"\"scachectl check\" says what is wrong in it; \"postfix reload\" puts it into effect.")
	for _, p := range own() {
		fmt.Fprintln(out)
		comment(out, says(&p))
		fmt.Fprintf(out, "#%s = %s\n", p.Name, p.Default)
	}
	return out.Flush()
}

// comment writes a text in lines that begin with "# ".
func comment(out io.Writer, text string) {
	line := "#"
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > width {
			fmt.Fprintln(out, line)
			line = "#"
		}
		line += " " + word
	}
	fmt.Fprintln(out, line)
}
