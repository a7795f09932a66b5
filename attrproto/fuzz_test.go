package attrproto

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func FuzzNull(f *testing.F)   { fuzzReading(f, Null) }
func FuzzBase64(f *testing.F) { fuzzReading(f, Base64) }
func FuzzPlain(f *testing.F)  { fuzzReading(f, Plain) }

// fuzzReading reads any bytes with any wishes, in every way there is, which
// must make no difference.
func fuzzReading(f *testing.F, e Encoding) {
	for i, c := range referenceCases(f) {
		if c.Encoding == e.String() {
			f.Add(latin1(c.Input), []byte(fmt.Sprint(c.Wants)), byte(c.Flags), uint64(i))
		}
	}
	f.Add([]byte(queueListing(f, e)), []byte{0}, byte(FlagStrict|FlagMore), uint64(1))
	f.Fuzz(func(t *testing.T, input, wishes []byte, flags byte, seed uint64) {
		whole := fuzzScan(e, input, wishes, Flags(flags&15), func(s *Scan) []byte {
			s.Run(input, io.EOF)
			return input
		})
		random := rand.New(rand.NewPCG(seed, 0))
		for _, compact := range []bool{false, true} {
			got := fuzzScan(e, input, wishes, Flags(flags&15), func(s *Scan) []byte {
				return runInPieces(s, input, random, compact)
			})
			if diff := cmp.Diff(whole, got); diff != "" {
				t.Fatalf("split (-whole +pieces), compact %v:\n%s", compact, diff)
			}
		}
		for name, wrap := range readerWrappers {
			got := fuzzReader(t, e, wrap(bytes.NewReader(input)), wishes, Flags(flags&15))
			if diff := cmp.Diff(whole, got); diff != "" {
				t.Fatalf("Reader, %s (-Scan +Reader):\n%s", name, diff)
			}
		}
		fuzzItems(t, e, input)
	})
}

// An outcome is all that a way of reading has to say.
type outcome struct {
	Count, Consumed, Granted int
	Err                      string
	Values                   []string
	Table                    map[string]string
	Traced                   int
}

// fuzzLimit is small enough to be met.
const fuzzLimit = 300

// fuzzWants makes a wish list of any bytes. The table is for all its hashes.
func fuzzWants(wishes []byte, table map[string]string) []Want {
	names := []string{"a", "b", "num", "str"}
	var wants []Want
	for _, c := range wishes[:min(len(wishes), 8)] {
		name := names[c>>3&3]
		switch t := Type(c & 7); t {
		case TypeHash:
			wants = append(wants, HashVar(table))
		case TypeFunc:
			wants = append(wants, ListVar(Want{Type: TypeInt, Name: "num"}, Want{Name: "str"}))
		case TypeStreq:
			wants = append(wants, Equal(name, "1"))
		default:
			wants = append(wants, Want{Type: t, Name: name})
		}
	}
	return wants
}

func fuzzScan(e Encoding, input, wishes []byte, flags Flags, run func(*Scan) (list []byte)) outcome {
	o := outcome{Table: map[string]string{}}
	wants := fuzzWants(wishes, o.Table)
	s := Scan{Encoding: e, Limit: fuzzLimit, Trace: func(string) { o.Traced++ }}
	s.Start(flags, wants)
	list := run(&s)
	var err *Error
	o.Count, err = s.Result()
	if err != nil {
		o.Err = err.Error()
	}
	// What is left of the list is the same however much of it was dropped.
	o.Consumed = s.Consumed() + s.dropped
	o.Granted = s.Granted()
	for i := range o.Granted {
		o.Values = append(o.Values, fmt.Sprintf("%q %d", s.Bytes(list, i), s.Uint(i)))
	}
	return o
}

// runInPieces feeds a scan an input in pieces of any size.
func runInPieces(s *Scan, input []byte, random *rand.Rand, compact bool) (list []byte) {
	for !s.Run(list, nil) {
		if compact && random.IntN(2) == 0 {
			list = s.Compact(list)
		}
		if len(input) == 0 {
			s.Run(list, io.EOF)
			break
		}
		n := 1 + random.IntN(len(input))
		list = append(list, input[:n]...)
		input = input[n:]
	}
	return list
}

func fuzzReader(t *testing.T, e Encoding, src io.Reader, wishes []byte, flags Flags) outcome {
	o := outcome{Table: map[string]string{}}
	r := NewReader(src)
	r.Encoding, r.Limit = e, fuzzLimit
	r.Trace = func(string) { o.Traced++ }
	var err error
	o.Count, err = r.Scan(flags, fuzzWants(wishes, o.Table)...)
	if err != nil && err != io.EOF {
		var e *Error
		if !errors.As(err, &e) {
			t.Fatalf("%T is not an Error", err)
		}
		o.Err = err.Error()
	}
	o.Consumed, o.Granted = int(r.offset), r.Granted()
	for i := range o.Granted {
		o.Values = append(o.Values, fmt.Sprintf("%q %d", r.Bytes(i), r.Uint(i)))
	}
	// Memory is for the values and a string or two, whatever the input.
	if limit := 2*firstBuffer + 16*fuzzLimit; cap(r.buf) > limit || cap(r.scan.text) > limit {
		t.Fatalf("holds %d and %d bytes", cap(r.buf), cap(r.scan.text))
	}
	return o
}

// fuzzItems takes the input apart and puts it together again.
func fuzzItems(t *testing.T, e Encoding, input []byte) {
	list, _, _ := items(e, input)
	var again []byte
	group := false
	for _, item := range list {
		var err error
		if again, err = e.AppendItem(again, item, group); err != nil {
			t.Fatal(err)
		}
		group = item.Kind == ItemOpen || group && item.Kind == ItemAttribute
	}
	if e == Null && !bytes.HasPrefix(input, again) {
		t.Fatalf("%q became %q", input, again)
	}
	if list2, rest, err := items(e, again); len(rest) > 0 || err != nil || !cmp.Equal(list, list2) {
		t.Fatalf("%q became %q", list, list2)
	}
}

// FuzzWriting writes any attribute, which arrives as it is or not at all.
func FuzzWriting(f *testing.F) {
	for e := range byte(3) {
		f.Add(e, "name", "value", []byte("data"), int64(1))
		f.Add(e, "", "a=b\nc", []byte{}, int64(-1))
		f.Add(e, "{", "\x00", []byte{0}, int64(1)<<40)
		f.Add(e, "é\xff", "\xff", []byte("YQ=="), int64(-1)<<63)
	}
	f.Fuzz(func(t *testing.T, encoding byte, name, value string, data []byte, number int64) {
		e := Encoding(encoding % 3)
		var dst bytes.Buffer
		w := NewWriter(&dst)
		w.Encoding = e
		for what, c := range map[string]struct {
			write func()
			want  Want
		}{
			"string": {func() { w.String(name, value) }, Want{Name: name, To: new(string)}},
			"int":    {func() { w.Int(name, int(number)) }, Want{Type: TypeInt, Name: name, To: new(int)}},
			"long":   {func() { w.Long(name, number) }, Want{Type: TypeLong, Name: name, To: new(int64)}},
			"data":   {func() { w.Data(name, data) }, Want{Type: TypeData, Name: name, To: new([]byte)}},
			"group":  {func() { w.Hash(map[string]string{name: value}) }, HashVar(map[string]string{})},
		} {
			dst.Reset()
			c.write()
			if err := w.Send(); err != nil {
				var failure *EncodeError
				if !errors.As(err, &failure) || dst.Len() > 0 {
					t.Fatalf("%s: error %v, %d bytes written", what, err, dst.Len())
				}
				continue
			}
			w.String("after", "1")
			w.Send()
			r := NewReader(&dst)
			r.Encoding, r.Limit = e, -1
			if count, err := r.Scan(FlagStrict, c.want); count != 1 || err != nil {
				t.Fatalf("%s: count %d, error %v", what, count, err)
			}
			ok := true
			switch p := c.want.To.(type) {
			case *string:
				ok = *p == value
			case *int:
				ok = int32(*p) == int32(number)
			case *int64:
				ok = *p == number
			case *[]byte:
				ok = bytes.Equal(*p, data)
			case map[string]string:
				got, found := p[name]
				ok = found && got == value
			}
			if !ok {
				t.Fatalf("%s: read %v", what, c.want.To)
			}
			if count, err := r.Scan(FlagStrict, Equal("after", "1")); count != 0 || err != nil {
				t.Fatalf("%s: the next list: %d, %v", what, count, err)
			}
		}
	})
}
