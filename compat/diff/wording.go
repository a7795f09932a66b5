package diff

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"scache/scached/install"
)

// A version is that of a Postfix: 3.7.11 is {3, 7, 11}.
type version [3]int

// parseVersion reads a mail_version. It leaves out the date of a snapshot.
func parseVersion(text string) (v version, ok bool) {
	number, _, _ := strings.Cut(text, "-")
	for i, part := range strings.SplitN(number, ".", len(v)) {
		var err error
		if v[i], err = strconv.Atoi(part); err != nil {
			return v, false
		}
	}
	return v, true
}

func (v version) before(other version) bool { return slices.Compare(v[:], other[:]) < 0 }

// versionOf returns the mail_version of a reference. A program from before Postfix
// 2.4 does not say it, and has the words of the first version of its dialect.
func versionOf(program, dialect string) (string, error) {
	version, err := install.MailVersion(program)
	switch {
	case err != nil || version != "":
		return version, err
	case dialect == "20040720":
		return "2.2-20040720", nil
	}
	return dialect, nil
}

var (
	unexpectedLine = regexp.MustCompile(`(?s)^(warning: unexpected attribute .*) from (.* socket) \(expecting: .*\)$`)
	unreceivedLine = regexp.MustCompile(`(?s)^(warning: .*: unable to receive file descriptor): .*$`)
	prematureLine  = regexp.MustCompile(`^warning: premature end-of-input on .* socket while reading input attribute name$`)
	malformedLine  = regexp.MustCompile(`(?s)^warning: (?:unexpected|missing) attribute .* in input from .* socket$`)
)

// inWordsOf tells whether the reference's log is what its version says where ours
// logs those lines, which are in the words of Postfix 3.7. The words have changed
// in the files that are named below.
func inWordsOf(mailVersion string, reference, ours []string) bool {
	v, known := parseVersion(mailVersion)
	for known && len(reference)+len(ours) > 0 {
		switch {
		case len(reference) > 0 && len(ours) > 0 && sameReason(reference[0], v.line(ours[0])):
			reference, ours = reference[1:], ours[1:]
		case len(reference) > 0 && v.before(version{2, 4}) && prematureLine.MatchString(reference[0]):
			reference = reference[1:] // not since there is a look for the end (src/util/attr_scan0.c)
		case len(ours) > 0 && v.before(version{2, 2, 5}) && malformedLine.MatchString(v.line(ours[0])):
			ours = ours[1:] // the rest of a message was thrown away (src/scache/scache.c)
		default:
			return false
		}
	}
	return known
}

// line returns what a version says where ours logs a line.
func (v version) line(line string) string {
	if v.before(version{2, 5}) { // src/util/attr_scan0.c
		line = unexpectedLine.ReplaceAllString(line, "$1 in input from $2")
	}
	if v.before(version{2, 2, 5}) { // src/scache/scache.c
		line = unreceivedLine.ReplaceAllString(line, "$1")
	}
	if !v.before(version{3, 9}) { // src/util/printable.c
		line = onlyUTF8(line)
	}
	return line
}

// onlyUTF8 has a question mark for each byte that is in no valid sequence.
func onlyUTF8(line string) string {
	var b strings.Builder
	for len(line) > 0 {
		r, n := utf8.DecodeRuneInString(line)
		if r == utf8.RuneError && n == 1 {
			b.WriteByte('?')
		} else {
			b.WriteString(line[:n])
		}
		line = line[n:]
	}
	return b.String()
}
