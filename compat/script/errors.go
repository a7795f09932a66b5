package script

import (
	"errors"
	"fmt"
	"strings"

	"scache/attrproto"
)

var (
	// ErrFailed is in every [Errors], for [errors.Is].
	ErrFailed = errors.New("script failed")

	// ErrNoScript means that a file is something else: there is not one command
	// in it.
	ErrNoScript = errors.New("not a script")

	// ErrLate means that the commands of one second took longer than that. The
	// same script may succeed when the machine is less busy.
	ErrLate = errors.New("commands took longer than the second they belong to")
)

// An Error is a line of a script that is no command, that could not be carried
// out, or whose expectation did not come true.
type Error struct {
	Name string // of the script
	Line int    // counted from 1
	Text string // as in the script's output, without its prefix
}

func (e *Error) Error() string { return fmt.Sprintf("%s:%d: %s", e.Name, e.Line, e.Text) }

// Errors are all that is wrong with a script, in the order in which it was told.
type Errors []*Error

// maxTold is how many errors are shown; the rest is most often more of the same.
const maxTold = 14

// Error has a line for each error.
func (e Errors) Error() string {
	var lines []string
	for _, one := range e[:min(len(e), maxTold)] {
		lines = append(lines, one.Error())
	}
	if more := len(e) - maxTold; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more errors", more))
	}
	return strings.Join(lines, "\n")
}

// Is makes every Errors an [ErrFailed].
func (e Errors) Is(target error) bool { return target == ErrFailed }

// maxText is how much of a line an error shows: it may be one of any file.
const maxText = 200

// error tells an error as the reference does, and keeps it.
func (r *runner) error(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.out.log("error: ", []byte(text))
	r.keep(text)
}

func (r *runner) keep(text string) {
	if len(text) > maxText {
		text = text[:maxText] + "..."
	}
	r.errors = append(r.errors, &Error{Name: r.Options.name(), Line: r.line, Text: string(attrproto.Printable([]byte(text)))})
}

// failure is what came of the script. To a person who types, all has been told.
func (r *runner) failure() error {
	switch {
	case len(r.errors) == 0 || r.typed:
		return nil
	case !r.known:
		return fmt.Errorf("%w: %w", ErrNoScript, r.errors[:1])
	}
	return r.errors
}

// Expected reads the errors that a script is to have from what it printed when
// it was right: its .ref file, where each line of the script is repeated after
// ">>> ", and its errors follow.
func Expected(name, ref string) Errors {
	var expected Errors
	line := 0
	for text := range strings.Lines(ref) {
		text = strings.TrimSuffix(text, "\n")
		if strings.HasPrefix(text, ">>> ") {
			line++
			continue
		}
		for _, label := range []string{"unknown: error: ", "unknown: fatal: "} {
			if text, ok := strings.CutPrefix(text, label); ok {
				expected = append(expected, &Error{Name: name, Line: line, Text: text})
			}
		}
	}
	return expected
}
