package attrproto

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// writes remembers what each call of Write got.
type writes struct {
	calls []string
	err   error
	short bool
}

func (w *writes) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	if w.short {
		return len(p) - 1, nil
	}
	w.calls = append(w.calls, string(p))
	return len(p), nil
}

func (w *writes) check(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, w.calls); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
}

func TestWriterSend(t *testing.T) {
	var dst writes
	w := NewWriter(&dst)
	w.String("a", "1")
	w.Int("b", 2)
	if err := w.Send(); err != nil {
		t.Fatal(err)
	}
	w.Long("c", 3)
	w.End()
	w.Bool("d", true)
	w.End()
	w.Data("e", []byte("x"))
	if err := w.Send(); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	dst.check(t, "a\x001\x00b\x002\x00\x00", "c\x003\x00\x00d\x001\x00\x00e\x00eA==\x00\x00")
}

// TestWriterMore writes a list in two parts.
func TestWriterMore(t *testing.T) {
	var dst writes
	w := NewWriter(&dst)
	w.String("a", "1")
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	w.String("b", "2")
	if err := w.Send(); err != nil {
		t.Fatal(err)
	}
	dst.check(t, "a\x001\x00", "b\x002\x00\x00")
}

func TestWriterThrowsAwayAListItCannotSend(t *testing.T) {
	var dst writes
	w := NewWriter(&dst)
	w.String("good", "1")
	w.End()
	w.String("bad", "2")
	w.String("bad", "\x00")
	w.String("", "")
	w.String("bad", "3")
	var e *EncodeError
	if err := w.Flush(); !errors.As(err, &e) || e.Name != "bad" {
		t.Errorf("flush: %v", err)
	}
	if err := w.Send(); !errors.As(err, &e) || e.Name != "bad" || !e.Value {
		t.Errorf("send: %v, want the first error", err)
	}
	dst.check(t)
	w.String("next", "4")
	if err := w.Send(); err != nil {
		t.Fatal(err)
	}
	dst.check(t, "good\x001\x00\x00next\x004\x00\x00")
}

// TestWriterBreaksOff has a list that goes wrong after its first part was
// written: it must not end as if it were whole.
func TestWriterBreaksOff(t *testing.T) {
	var dst writes
	w := NewWriter(&dst)
	w.String("a", "1")
	w.Flush()
	w.String("b", "\x00")
	if err := w.Send(); err == nil {
		t.Error("no error")
	}
	w.String("c", "3")
	for range 2 {
		if err := w.Send(); err == nil {
			t.Error("the Writer goes on")
		}
	}
	dst.check(t, "a\x001\x00")
}

func TestWriterStreamErrors(t *testing.T) {
	broken := errors.New("broken")
	for want, dst := range map[error]*writes{broken: {err: broken}, io.ErrShortWrite: {short: true}} {
		w := NewWriter(dst)
		w.String("a", "1")
		if err := w.Send(); err != want {
			t.Errorf("error %v, want %v", err, want)
		}
		if err := w.Flush(); err != want {
			t.Errorf("error %v, want %v: it did not stay", err, want)
		}
		if err := w.End(); err != want {
			t.Errorf("error %v, want %v: it did not stay", err, want)
		}
	}
}

// TestWriterGroups reads back what the Writer wrote, in every encoding.
func TestWriterGroups(t *testing.T) {
	table := map[string]string{"a": "1", "b": "", "c": "x=y", "d": "{"}
	for _, e := range []Encoding{Null, Base64, Plain} {
		var dst bytes.Buffer
		w := NewWriter(&dst)
		w.Encoding = e
		w.Hash(table)
		w.Hash(map[string]string{"only": "one"})
		w.Hash(nil)
		w.String("after", "z")
		if err := w.Send(); err != nil {
			t.Fatal(err)
		}
		r := NewReader(&dst)
		r.Encoding = e
		one, two, three := map[string]string{}, map[string]string{}, map[string]string{}
		var after string
		count, err := r.Scan(FlagStrict, HashVar(one), HashVar(two), HashVar(three), StringVar("after", &after))
		if count != 6 || err != nil || after != "z" || len(two) != 1 || len(three) != 0 {
			t.Errorf("%v: count %d, error %v, after %q, %v, %v", e, count, err, after, two, three)
		}
		if diff := cmp.Diff(table, one); diff != "" {
			t.Errorf("%v: (-want +got):\n%s", e, diff)
		}
	}
}

func TestWriterTrace(t *testing.T) {
	for e, want := range map[Encoding][]string{
		Null:  {"send attr a = x", "send attr b = 4294967295", "send attr c = 18446744073709551615", "send attr d = 0", "send attr e = [data 3 bytes]", "send attr name g value h"},
		Plain: {"send attr a = x", "send attr b = 4294967295", "send attr c = 18446744073709551615", "send attr d = false", "send attr e = [data 3 bytes]", "send attr name g value h"},
	} {
		var got []string
		w := NewWriter(io.Discard)
		w.Encoding, w.Trace = e, func(line string) { got = append(got, line) }
		w.String("a", "x")
		w.Int("b", -1)
		w.Long("c", -1)
		w.Bool("d", false)
		w.Data("e", []byte("abc"))
		w.Hash(map[string]string{"g": "h"})
		w.String("f", "\x00")
		w.Int("f", 1)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v: (-want +got):\n%s", e, diff)
		}
	}
}
