package bench

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// A progress is a bar on a terminal. A nil one shows nothing.
type progress struct {
	w           io.Writer
	what        string
	done, total time.Duration
}

func newProgress(w io.Writer, total time.Duration) *progress {
	if w == nil {
		return nil
	}
	return &progress{w: w, total: total}
}

// begin names what is done now.
func (p *progress) begin(what string) {
	if p != nil {
		p.what = what
		p.draw()
	}
}

// step adds what was done.
func (p *progress) step(d time.Duration) {
	if p != nil {
		p.done += d
		p.draw()
	}
}

func (p *progress) draw() {
	const width = 40
	share := min(p.done.Seconds()/p.total.Seconds(), 1)
	full := int(share * width)
	fmt.Fprintf(p.w, "\r[%s%s] %3.0f%% %-10s", strings.Repeat("#", full), strings.Repeat(".", width-full), share*100, p.what)
}

// end wipes the bar away.
func (p *progress) end() {
	if p != nil {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
