package script

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

var errTest = errors.New("test")

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errTest }

func TestRunErrors(t *testing.T) {
	if err := Run(iotest.ErrReader(errTest), Options{Out: io.Discard}); err != errTest {
		t.Errorf("reading: %v", err)
	}
	if err := Run(strings.NewReader("?\n"), Options{Out: brokenWriter{}}); err != errTest {
		t.Errorf("writing: %v", err)
	}
	in := io.MultiReader(strings.NewReader("?\n"), iotest.ErrReader(errTest))
	var out bytes.Buffer
	if err := Run(in, Options{Out: &out}); err != errTest || !strings.HasPrefix(out.String(), ">>> ?\ncommands:") {
		t.Errorf("reading the second line: %v; output %q", err, out.String())
	}
}

// A script that is slower than the clock is not taken for a result.
func TestLockstep(t *testing.T) {
	t.Parallel()
	slow := func(int, Result) {
		for began := time.Now(); time.Since(began) < time.Second; {
			time.Sleep(10 * time.Millisecond)
		}
	}
	const text = "cache_type multi\nfind_endp a\n"
	o := Options{Out: io.Discard, RealTime: true, Lockstep: true}
	if err := Run(strings.NewReader(text), o); err != nil {
		t.Errorf("a script without delay: %v", err)
	}
	o.Found = slow
	if err := Run(strings.NewReader(text), o); err != ErrLate {
		t.Errorf("a slow script: %v", err)
	}
	o.Lockstep = false
	if err := Run(strings.NewReader(text), o); err != nil {
		t.Errorf("a slow script that may be slow: %v", err)
	}
	o.Lockstep, o.RealTime = true, false
	if err := Run(strings.NewReader(text), o); err != nil {
		t.Errorf("a slow script in virtual time: %v", err)
	}
}

// A wall clock is late when it is another second than expected, or about to be.
func TestLate(t *testing.T) {
	for name, shift := range map[string]int64{"a second before": -1, "a second after": 1} {
		c := newWallClock()
		c.expected += shift
		if !c.late() {
			t.Errorf("%s is not late", name)
		}
	}
}
