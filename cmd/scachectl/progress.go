package main

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// A progress is a line on the terminal that says what is going on. On anything
// but a terminal it is silent.
type progress struct{ w io.Writer }

// newProgress returns the line of the standard error, to be cleared before
// anything else is written.
func newProgress() progress {
	if !term.IsTerminal(int(os.Stderr.Fd())) {
		return progress{io.Discard}
	}
	return progress{os.Stderr}
}

func (p progress) show(what string) { fmt.Fprint(p.w, "\r\x1b[K", what) }

func (p progress) clear() { p.show("") }
