package attrproto

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
)

// The straightforward way to read a save_endp request.

type naiveRequest struct {
	request, label, property string
	ttl                      int
}

func naiveString(r *bufio.Reader) (string, error) {
	s, err := r.ReadString(0)
	return strings.TrimSuffix(s, "\x00"), err
}

func naiveRead(r *bufio.Reader) (req naiveRequest, err error) {
	for {
		name, err := naiveString(r)
		if err != nil || name == "" {
			return req, err
		}
		value, err := naiveString(r)
		if err != nil {
			return req, err
		}
		switch name {
		case "request":
			req.request = value
		case "ttl":
			if req.ttl, err = strconv.Atoi(value); err != nil {
				return req, err
			}
		case "label":
			req.label = value
		case "property":
			req.property = value
		}
	}
}

// And to write one.
func naiveWrite(w io.Writer, req naiveRequest) error {
	list := []string{"request", req.request, "ttl", strconv.Itoa(req.ttl), "label", req.label, "property", req.property, "", ""}
	_, err := fmt.Fprint(w, strings.Join(list[:9], "\x00"), "\x00")
	return err
}

func BenchmarkDecode(b *testing.B) {
	b.Run("naive", func(b *testing.B) {
		b.ReportAllocs()
		r := bufio.NewReader(&again{text: saveEndp})
		for b.Loop() {
			if req, err := naiveRead(r); err != nil || req.ttl != 2 {
				b.Fatal(err)
			}
		}
	})
	b.Run("Scan", func(b *testing.B) {
		b.ReportAllocs()
		var s Scan
		for b.Loop() {
			s.Start(FlagStrict, saveEndpWants)
			if !s.Run(saveEndp, nil) || s.Uint(1) != 2 {
				b.Fatal("not done")
			}
		}
	})
	b.Run("Reader borrowed", func(b *testing.B) {
		b.ReportAllocs()
		r := NewReader(&again{text: saveEndp})
		for b.Loop() {
			if _, err := r.Scan(FlagStrict, saveEndpWants...); err != nil || r.Uint(1) != 2 {
				b.Fatal(err)
			}
		}
	})
	b.Run("Reader variables", func(b *testing.B) {
		b.ReportAllocs()
		r := NewReader(&again{text: saveEndp})
		for b.Loop() {
			var req naiveRequest
			if _, err := r.Scan(FlagStrict, StringVar("request", &req.request), IntVar("ttl", &req.ttl),
				StringVar("label", &req.label), StringVar("property", &req.property)); err != nil || req.ttl != 2 {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	req, err := naiveRead(bufio.NewReader(bytes.NewReader(saveEndp)))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("naive", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := naiveWrite(io.Discard, req); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("AppendUnchecked", func(b *testing.B) {
		b.ReportAllocs()
		var buf []byte
		ttl := strconv.Itoa(req.ttl)
		for b.Loop() {
			buf = AppendUnchecked(buf[:0], "request", req.request)
			buf = AppendUnchecked(buf, "ttl", ttl)
			buf = AppendUnchecked(buf, "label", req.label)
			buf = AppendUnchecked(buf, "property", req.property)
			buf = Null.AppendEnd(buf)
		}
		if !bytes.Equal(buf, saveEndp) {
			b.Fatal("another request")
		}
	})
	b.Run("Append", func(b *testing.B) {
		b.ReportAllocs()
		var buf []byte
		for b.Loop() {
			buf, _ = Null.AppendString(buf[:0], "request", req.request)
			buf, _ = Null.AppendInt(buf, "ttl", req.ttl)
			buf, _ = Null.AppendString(buf, "label", req.label)
			buf, _ = Null.AppendString(buf, "property", req.property)
			buf = Null.AppendEnd(buf)
		}
		if !bytes.Equal(buf, saveEndp) {
			b.Fatal("another request")
		}
	})
	b.Run("Writer", func(b *testing.B) {
		b.ReportAllocs()
		w := NewWriter(io.Discard)
		for b.Loop() {
			w.String("request", req.request)
			w.Int("ttl", req.ttl)
			w.String("label", req.label)
			w.String("property", req.property)
			if err := w.Send(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// TestNaive makes sure that the benchmarks compare the same thing.
func TestNaive(t *testing.T) {
	req, err := naiveRead(bufio.NewReader(bytes.NewReader(saveEndp)))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := naiveWrite(&b, req); err != nil || !bytes.Equal(b.Bytes(), saveEndp) {
		t.Errorf("wrote %q, %v", b.Bytes(), err)
	}
}
