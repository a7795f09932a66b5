package manual

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
)

// A page is a manual page that is being written. Its errors are those of its
// writer, and the last method tells them.
type page struct {
	w   io.Writer
	err error
}

// begin writes the head of a page.
func begin(w io.Writer, date time.Time, name, section, about string) *page {
	p := &page{w: w}
	p.macro("Dd", date.UTC().Format("January 2, 2006"))
	p.macro("Dt", strings.ToUpper(name), section)
	p.macro("Os")
	p.section("NAME")
	p.macro("Nm", name)
	p.macro("Nd", about)
	return p
}

// macro writes a line of macros; its words stand for themselves, except where
// they are macros.
func (p *page) macro(name string, words ...string) {
	for i, word := range words {
		if len(word) > 1 { // a full stop alone is punctuation
			words[i] = escape(word)
		}
	}
	p.line("." + strings.Join(append([]string{name}, words...), " "))
}

func (p *page) line(text string) {
	if p.err == nil {
		_, p.err = fmt.Fprintln(p.w, text)
	}
}

func (p *page) section(name string) { p.macro("Sh", name) }

// text writes paragraphs, which empty lines divide. Every sentence begins a line,
// as it has to. A word like scache(8) refers to a manual page. A paragraph that is
// indented is left as it is.
func (p *page) text(text string) {
	for i, paragraph := range strings.Split(strings.Trim(text, "\n"), "\n\n") {
		if i > 0 && !strings.HasPrefix(paragraph, " ") {
			p.macro("Pp")
		}
		if strings.HasPrefix(paragraph, " ") {
			p.literal(paragraph)
			continue
		}
		for _, sentence := range sentences(strings.Join(strings.Fields(paragraph), " ")) {
			p.sentence(sentence)
		}
	}
}

// sentence writes one, in lines that are not too long, and with lines of their
// own for references to pages.
func (p *page) sentence(text string) {
	line := ""
	flush := func() {
		if line != "" {
			p.line(escape(line))
		}
		line = ""
	}
	for word := range strings.FieldsSeq(text) {
		if name, section, after, ok := crossReference(word); ok {
			flush()
			p.macro("Xr", append([]string{name, section}, after...)...)
			continue
		}
		if len(line)+1+len(word) > width {
			flush()
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	flush()
}

// crossReference takes "name(8)," apart.
func crossReference(word string) (name, section string, after []string, ok bool) {
	name, rest, ok := strings.Cut(word, "(")
	if !ok || name == "" || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && r != '.' && r != '_' }) {
		return "", "", nil, false
	}
	section, rest, ok = strings.Cut(rest, ")")
	if !ok || len(section) != 1 || section[0] < '1' || section[0] > '8' {
		return "", "", nil, false
	}
	for _, c := range rest {
		if !strings.ContainsRune(".,:;)", c) {
			return "", "", nil, false
		}
		after = append(after, string(c))
	}
	return name, section, after, true
}

// sentences splits a paragraph after full stops that end a sentence.
func sentences(text string) (list []string) {
	for {
		i := strings.Index(text, ". ")
		for i >= 0 && (i+2 >= len(text) || !unicode.IsUpper(rune(text[i+2]))) {
			next := strings.Index(text[i+2:], ". ")
			if next < 0 {
				i = -1
				break
			}
			i += 2 + next
		}
		if i < 0 {
			return append(list, text)
		}
		list, text = append(list, text[:i+1]), text[i+2:]
	}
}

// list writes a tagged list.
func (p *page) list(items func()) {
	p.macro("Bl", "-tag", "-width", "Ds")
	items()
	p.macro("El")
}

// literal writes lines as they are.
func (p *page) literal(text string) {
	p.macro("Bd", "-literal", "-offset", "indent")
	for line := range strings.Lines(strings.Trim(text, "\n")) {
		p.line(escape(strings.TrimRight(line, "\n")))
	}
	p.macro("Ed")
}

// escape keeps roff(7) from seeing anything but text.
func escape(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "“", `\(lq`, "”", `\(rq`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}

// phrase makes a sentence of a phrase.
func phrase(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
