package attrproto

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// items takes a whole input apart, or says how far it got.
func items(e Encoding, input []byte) (list []Item, rest []byte, err error) {
	c := Consumer{Encoding: e}
	for len(input) > 0 {
		item, n, err := c.Consume(input)
		if n == 0 || err != nil {
			return list, input, err
		}
		if e == Base64 { // the Consumer's memory
			item.Name, item.Value = bytes.Clone(item.Name), bytes.Clone(item.Value)
		}
		list = append(list, item)
		input = input[n:]
	}
	return list, nil, nil
}

func TestConsume(t *testing.T) {
	pair := func(name, value string) Item {
		return Item{Kind: ItemAttribute, Name: []byte(name), Value: []byte(value)}
	}
	for name, c := range map[string]struct {
		encoding Encoding
		input    string
		want     []Item
		rest     string
	}{
		"null": {Null, "a\x00b\x00{\x00{\x00c\x00}\x00}\x00d\x00\x00",
			[]Item{pair("a", "b"), {Kind: ItemOpen}, pair("{", "c"), {Kind: ItemClose}, pair("}", "d"), {Kind: ItemEnd}}, ""},
		"base64": {Base64, "YQ==:Yg==\new==\new==:Yw==\nfQ==\n\n:\n",
			[]Item{pair("a", "b"), {Kind: ItemOpen}, pair("{", "c"), {Kind: ItemClose}, {Kind: ItemEnd}, pair("", "")}, ""},
		"plain": {Plain, "a=b=c\n{\x00\n{=c\n}\x00\n\n=\n",
			[]Item{pair("a", "b=c"), {Kind: ItemOpen}, pair("{", "c"), {Kind: ItemClose}, {Kind: ItemEnd}, pair("", "")}, ""},
		"half a name":  {Null, "a\x00b\x00c", []Item{pair("a", "b")}, "c"},
		"half a value": {Plain, "a=b\nc=d", []Item{pair("a", "b")}, "c=d"},
	} {
		t.Run(name, func(t *testing.T) {
			got, rest, err := items(c.encoding, []byte(c.input))
			if err != nil || string(rest) != c.rest {
				t.Errorf("rest %q, error %v", rest, err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
		})
	}
}

func TestConsumeErrors(t *testing.T) {
	for name, c := range map[string]struct {
		encoding Encoding
		input    string
		want     Error
	}{
		"no value":      {Plain, "a\n", Error{Kind: KindNoValue, Text: "a", Expect: "string"}},
		"stray brace":   {Plain, "}\x00\n", Error{Kind: KindNoValue, Text: "}", Expect: "string"}},
		"bad name":      {Base64, "YQ:YQ==\n", Error{Kind: KindBadBase64, Text: "YQ"}},
		"bad value":     {Base64, "YQ==:YQ\x00x\n", Error{Kind: KindBadBase64, Value: true, Text: "YQ", Offset: 5}},
		"two values":    {Base64, "YQ==:YQ==:", Error{Kind: KindManyValues, Value: true, Text: "a", Offset: 5}},
		"no value, b64": {Base64, "YQ==\n", Error{Kind: KindNoValue, Text: "a", Expect: "string"}},
	} {
		t.Run(name, func(t *testing.T) {
			consumer := Consumer{Encoding: c.encoding}
			_, n, err := consumer.Consume([]byte(c.input))
			var e *Error
			if !errors.As(err, &e) || n != 0 {
				t.Fatalf("n %d, error %v", n, err)
			}
			c.want.Encoding = c.encoding
			if diff := cmp.Diff(c.want, *e); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestConsumeMore(t *testing.T) {
	for _, c := range []struct {
		encoding Encoding
		input    string
		more     bool
		n        int
	}{
		{Null, "", true, 0}, {Null, "\x00", false, 1}, {Null, "\n", true, 0},
		{Base64, "\n", false, 1}, {Base64, "\x00", true, 0}, {Plain, "\nx", false, 1}, {Plain, "x", true, 0},
	} {
		if more, n := c.encoding.ConsumeMore([]byte(c.input)); more != c.more || n != c.n {
			t.Errorf("%v %q: %v, %d", c.encoding, c.input, more, n)
		}
	}
}

// TestConsumeInPieces shows a Consumer every beginning of an input in turn: the
// items are the same as from the whole input.
func TestConsumeInPieces(t *testing.T) {
	for e, input := range map[Encoding]string{
		Null:   "name\x00value\x00{\x00{\x00c\x00}\x00\x00",
		Base64: "bmFtZQ==:dmFsdWU=\new==\nYQ==:\nfQ==\n\n",
		Plain:  "name=va=lue\n{\x00\n{=\n}\x00\n\n",
	} {
		t.Run(e.String(), func(t *testing.T) {
			want, _, err := items(e, []byte(input))
			if err != nil {
				t.Fatal(err)
			}
			c := Consumer{Encoding: e}
			var got []Item
			for start, end := 0, 0; end <= len(input); end++ {
				item, n, err := c.Consume([]byte(input[start:end]))
				if err != nil {
					t.Fatal(err)
				}
				if n > 0 {
					item.Name, item.Value = bytes.Clone(item.Name), bytes.Clone(item.Value)
					got = append(got, item)
					start += n
				}
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("items (-whole +pieces):\n%s", diff)
			}
		})
	}
}

// TestConsumeLooksOnce has what a Consumer has seen of an unfinished string change
// behind its back: it must not notice, because it does not look again.
func TestConsumeLooksOnce(t *testing.T) {
	for e, input := range map[Encoding]string{
		Null: "name\x00value", Base64: "bmFtZQ==:dmFsdWU=", Plain: "name=value",
	} {
		c := Consumer{Encoding: e}
		for _, seen := range []int{3, len(input) - 1} { // in the name, and in the value
			list := []byte(input[:seen])
			if _, n, err := c.Consume(list); n != 0 || err != nil {
				t.Fatalf("%v: %d bytes, %v", e, n, err)
			}
			list[seen-1] = e.terminator()
			if _, n, err := c.Consume(list); n != 0 || err != nil {
				t.Errorf("%v: looked again at byte %d: %d bytes, %v", e, seen-1, n, err)
			}
		}
	}
}

func TestAppendItemErrors(t *testing.T) {
	for name, c := range map[string]struct {
		encoding Encoding
		item     Item
		group    bool
		want     EncodeError
	}{
		"no name":            {Null, Item{Kind: ItemAttribute}, false, EncodeError{Reason: "is empty"}},
		"an opening brace":   {Null, Item{Kind: ItemAttribute, Name: []byte("{")}, false, EncodeError{Name: "{", Reason: "is the mark of a group"}},
		"a closing brace":    {Null, Item{Kind: ItemAttribute, Name: []byte("}")}, true, EncodeError{Name: "}", Reason: "is the mark of a group"}},
		"NUL":                {Null, Item{Kind: ItemAttribute, Name: []byte("a"), Value: []byte("b\x00")}, false, EncodeError{Name: "a", Value: true, Offset: 1, Reason: "holds a byte that ends it"}},
		"an equals sign":     {Plain, Item{Kind: ItemAttribute, Name: []byte("ab=c")}, false, EncodeError{Name: "ab=c", Offset: 2, Reason: "holds a byte that ends it"}},
		"a newline":          {Plain, Item{Kind: ItemAttribute, Value: []byte("=\n")}, false, EncodeError{Value: true, Offset: 1, Reason: "holds a byte that ends it"}},
		"a group in a group": {Base64, Item{Kind: ItemOpen}, true, EncodeError{Reason: "is missing: the mark of a group is out of place"}},
		"a stray close":      {Base64, Item{Kind: ItemClose}, false, EncodeError{Reason: "is missing: the mark of a group is out of place"}},
		"no kind":            {Base64, Item{}, false, EncodeError{Reason: "is missing: the item has no kind"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.encoding.AppendItem([]byte("before"), c.item, c.group)
			var e *EncodeError
			if !errors.As(err, &e) || string(got) != "before" {
				t.Fatalf("%q, error %v", got, err)
			}
			if diff := cmp.Diff(c.want, *e); diff != "" {
				t.Error(diff)
			}
		})
	}
}
