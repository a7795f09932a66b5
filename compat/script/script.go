package script

import (
	"bufio"
	"errors"
	"io"
	"strings"
)

// A lineReader gives a line at a time, without its end.
type lineReader interface{ ReadLine() (string, error) }

// Run runs the script that it reads from in. What is wrong with its lines stands
// in the output, as the reference has it, and is returned as [Errors], with the
// name of the script and the numbers of the lines. [ErrNoScript] means that it is
// none. Other errors are those of reading and writing, and [ErrLate].
func Run(in io.Reader, o Options) error {
	return newRunner(o).run(&plainReader{bufio.NewReader(in)})
}

// A plainReader reads lines as the reference does (vstring_get_nonl in
// src/util/vstring_vstream.c): the last one needs no end. Nothing after a NUL
// is seen.
type plainReader struct{ r *bufio.Reader }

func (p *plainReader) ReadLine() (string, error) {
	line, err := p.r.ReadString('\n')
	if err != nil && (err != io.EOF || line == "") {
		return "", err
	}
	line, _, _ = strings.Cut(strings.TrimSuffix(line, "\n"), "\x00")
	return line, nil
}

// A runner runs one script.
type runner struct {
	Options
	out     output
	clock   clock
	store   store // nil until the first cache_type
	verbose bool
	errors  Errors
	known   bool // there is a command in the script

	line  int // number of the one that runs
	saves int // how many save_endp so far
	found *Result
	block *block // that is being read, nil if none
}

func newRunner(o Options) *runner {
	r := &runner{Options: o, out: output{w: bufio.NewWriter(o.Out)}, verbose: true, clock: new(virtualClock)}
	if o.RealTime {
		r.clock = newWallClock()
	}
	return r
}

func (r *runner) run(lines lineReader) error {
	err := r.runLines(lines)
	if r.block != nil && err == nil {
		r.line = r.block.line
		r.error("repeat: no end")
	}
	if r.store != nil {
		r.verbose = r.AlwaysVerbose
		r.store.close()
	}
	if flushErr := r.out.w.Flush(); err == nil {
		err = flushErr
	}
	if err == nil || err == errEnough {
		err = r.failure()
	}
	return err
}

func (r *runner) runLines(lines lineReader) error {
	for number := 1; ; number++ {
		if err := r.flushWhenTyped(); err != nil {
			return err
		}
		line, err := lines.ReadLine()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if !r.typed {
			r.out.print(">>> %s\n", line)
		}
		if err := r.take(sourceLine{number, line}); err != nil {
			return err
		}
	}
}

// flushWhenTyped lets a person see the answer before the next prompt.
func (r *runner) flushWhenTyped() error {
	if !r.typed {
		return nil
	}
	return r.out.w.Flush()
}

// A sourceLine is a line of the script and its number, counted from 1.
type sourceLine struct {
	number int
	text   string
}

// errEnough ends a script with too many errors.
var errEnough = errors.New("too many errors")

// take runs a line, unless it belongs to a block that is being read.
func (r *runner) take(line sourceLine) error {
	words := split(line.text)
	if len(words) == 0 || words[0][0] == '#' {
		return nil
	}
	if r.block != nil {
		if r.block.add(line, words[0]) {
			return r.runBlock()
		}
		return nil
	}
	r.line = line.number
	r.command(words)
	switch {
	case len(r.errors) >= maxErrors && !r.Extended && !r.typed:
		const text = "too many errors - program terminated"
		r.out.logf("fatal: ", text)
		r.keep(text)
		return errEnough
	case r.Lockstep && r.clock.late():
		return ErrLate
	}
	return nil
}
