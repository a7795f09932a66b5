package attrproto

import (
	"bytes"
	"io"
	"testing"
)

// saveEndp is a typical request of smtp(8) to scache(8).
var saveEndp = func() []byte {
	b, _ := Null.AppendString(nil, "request", "save_endp")
	b, _ = Null.AppendInt(b, "ttl", 2)
	b, _ = Null.AppendString(b, "label", "smtp\n192.0.2.25\n25\n\n\n0\n")
	b, _ = Null.AppendString(b, "property", "mx.example.com\n192.0.2.25\n25\n65535\n")
	return Null.AppendEnd(b)
}()

var saveEndpWants = []Want{{Name: "request"}, {Type: TypeInt, Name: "ttl"}, {Name: "label"}, {Name: "property"}}

// again reads the same bytes over and over.
type again struct {
	text []byte
	left []byte
}

func (a *again) Read(p []byte) (int, error) {
	if len(a.left) == 0 {
		a.left = a.text
	}
	n := copy(p, a.left)
	a.left = a.left[n:]
	return n, nil
}

// noAllocations runs f many times, after it has had its memory.
func noAllocations(t *testing.T, name string, f func()) {
	t.Helper()
	f()
	if n := testing.AllocsPerRun(200, f); n != 0 {
		t.Errorf("%s: %v allocations", name, n)
	}
}

func TestAllocations(t *testing.T) {
	var s Scan
	noAllocations(t, "Scan", func() {
		s.Start(FlagStrict, saveEndpWants)
		if count, _ := scanResult(&s, saveEndp); count != 4 || s.Uint(1) != 2 || len(s.Bytes(saveEndp, 2)) != 23 {
			t.Fatalf("count %d", count)
		}
	})
	noAllocations(t, "Scan byte by byte", func() {
		s.Start(FlagStrict, saveEndpWants)
		for n := 0; !s.Run(saveEndp[:n], nil); n++ {
		}
	})

	r := NewReader(&again{text: saveEndp})
	noAllocations(t, "Reader", func() {
		count, err := r.Scan(FlagStrict, saveEndpWants...)
		if count != 4 || err != nil || len(r.Bytes(3)) != 35 {
			t.Fatalf("count %d, error %v", count, err)
		}
	})
	var label string
	var ttl int
	wants := []Want{{Name: "request"}, IntVar("ttl", &ttl), StringVar("label", &label), {Name: "property"}}
	noAllocations(t, "Reader, into variables that have the value already", func() {
		if count, err := r.Scan(FlagStrict, wants...); count != 4 || err != nil || ttl != 2 || len(label) != 23 {
			t.Fatalf("count %d, error %v", count, err)
		}
	})
	r = NewReader(&again{text: []byte("a\x00b\x00\x00")})
	wants = []Want{{Name: "a"}}
	noAllocations(t, "NextName and More", func() {
		if name, err := r.NextName(); err != nil || string(name) != "a" {
			t.Fatal(err)
		}
		r.Scan(FlagStrict|FlagMore, wants...)
		if r.More() || r.Err() != nil {
			t.Fatal("the list goes on")
		}
	})
}

func scanResult(s *Scan, list []byte) (count int, err *Error) {
	s.Run(list, nil)
	return s.Result()
}

func TestAllocationsOfOtherEncodings(t *testing.T) {
	for _, e := range []Encoding{Base64, Plain} {
		var b bytes.Buffer
		w := NewWriter(&b)
		w.Encoding = e
		w.String("request", "save_endp")
		w.Int("ttl", 2)
		w.String("label", "smtp 192.0.2.25")
		w.Data("property", []byte("mx.example.com"))
		if err := w.Send(); err != nil {
			t.Fatal(err)
		}
		wants := []Want{{Name: "request"}, {Type: TypeInt, Name: "ttl"}, {Name: "label"}, {Type: TypeData, Name: "property"}}
		s := Scan{Encoding: e}
		noAllocations(t, "Scan "+e.String(), func() {
			s.Start(FlagStrict|FlagSanitize, wants)
			if count, _ := scanResult(&s, b.Bytes()); count != 4 || string(s.Bytes(b.Bytes(), 3)) != "mx.example.com" {
				t.Fatalf("count %d", count)
			}
		})
		r := NewReader(&again{text: b.Bytes()})
		r.Encoding = e
		noAllocations(t, "Reader "+e.String(), func() {
			if count, err := r.Scan(FlagStrict, wants...); count != 4 || err != nil {
				t.Fatalf("count %d, error %v", count, err)
			}
		})
	}
}

func TestAllocationsOfWriting(t *testing.T) {
	buf := make([]byte, 0, 1024)
	value := []byte("value")
	for _, e := range []Encoding{Null, Base64, Plain} {
		noAllocations(t, "Encoding.Append "+e.String(), func() {
			buf = e.AppendOpen(buf[:0])
			buf, _ = e.AppendString(buf, "name", "value")
			buf, _ = e.AppendLong(buf, "name", -1)
			buf, _ = e.AppendBool(buf, "name", true)
			buf, _ = e.AppendData(buf, "name", value)
			buf = e.AppendEnd(e.AppendClose(buf))
		})
		w := NewWriter(io.Discard)
		w.Encoding = e
		noAllocations(t, "Writer "+e.String(), func() {
			w.String("request", "save_endp")
			w.Int("ttl", 2)
			w.Data("data", value)
			if err := w.Send(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestAllocationsOfConsume(t *testing.T) {
	for _, e := range []Encoding{Null, Base64, Plain} {
		input, _ := e.AppendString(e.AppendOpen(nil), "name", "value")
		input = e.AppendEnd(e.AppendClose(input))
		c := Consumer{Encoding: e}
		noAllocations(t, "Consume "+e.String(), func() {
			for rest := input; len(rest) > 0; {
				_, n, err := c.Consume(rest)
				if err != nil || n == 0 {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
		})
	}
}

// TestAllocationsOfSockets passes lists and a descriptor.
func TestAllocationsOfSockets(t *testing.T) {
	a, b := ends(t)
	wants := []Want{{Name: "a"}}
	file := anyFile(t)
	var r Receiver
	x, y := pair(t)
	p := make([]byte, 10)
	noAllocations(t, "SendDescriptor and Receive", func() {
		if err := SendDescriptor(x, file); err != nil {
			t.Fatal(err)
		}
		_, fds, err := r.Receive(y, p)
		if err != nil || len(fds) != 1 {
			t.Fatal(err)
		}
		closeAll(fds)
	})
	noAllocations(t, "Conn", func() {
		a.Out.String("a", "b")
		a.Out.Send()
		if _, err := b.In.Scan(FlagStrict, wants...); err != nil {
			t.Fatal(err)
		}
	})
}
