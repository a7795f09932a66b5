package script

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// IsTerminal tells whether a person types into a file.
func IsTerminal(file *os.File) bool { return term.IsTerminal(int(file.Fd())) }

// RunTerminal runs the script that a person types on a terminal, with a prompt
// and line editing. It is like [Run] otherwise.
func RunTerminal(in *os.File, o Options) error {
	o.typed = true
	return newRunner(o).run(newTerminal(in, o.Out))
}

const prompt = "> "

// A terminal edits lines. Only while it does is the terminal in raw mode:
// during a command an interrupt is an interrupt.
type terminal struct {
	in   *os.File
	edit *term.Terminal
}

func newTerminal(in *os.File, out io.Writer) *terminal {
	return &terminal{in: in, edit: term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{in, out}, prompt)}
}

func (t *terminal) ReadLine() (line string, err error) {
	fd := int(t.in.Fd())
	cooked, err := term.MakeRaw(fd)
	if err != nil {
		return "", fmt.Errorf("set terminal to raw mode: %w", err)
	}
	defer func() {
		if restoreErr := term.Restore(fd, cooked); err == nil && restoreErr != nil {
			err = fmt.Errorf("restore terminal: %w", restoreErr)
		}
	}()
	if width, height, err := term.GetSize(fd); err == nil && width > 0 {
		t.edit.SetSize(width, height)
	}
	line, err = t.edit.ReadLine()
	if err == term.ErrPasteIndicator {
		err = nil
	}
	return line, err
}
