package attrproto

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// items takes a whole input apart, or says how far it got.
func items(e Encoding, input []byte) (list []Item, rest []byte, err error) {
	group := false
	for len(input) > 0 {
		item, n, err := e.Consume(input, group)
		if n == 0 || err != nil {
			return list, input, err
		}
		switch item.Kind {
		case ItemOpen:
			group = true
		case ItemClose, ItemEnd:
			group = false
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
			[]Item{pair("YQ==", "Yg=="), {Kind: ItemOpen}, pair("ew==", "Yw=="), {Kind: ItemClose}, {Kind: ItemEnd}, pair("", "")}, ""},
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
			_, n, err := c.encoding.Consume([]byte(c.input), false)
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

func TestAppendText(t *testing.T) {
	for _, c := range []struct {
		encoding   Encoding
		wire, want string
		ok         bool
	}{
		{Null, "YQ==", "<YQ==", true}, {Plain, "", "<", true}, {Base64, "YQ==", "<a", true}, {Base64, "YQ=", "<", false},
	} {
		if got, ok := c.encoding.AppendText([]byte("<"), []byte(c.wire)); string(got) != c.want || ok != c.ok {
			t.Errorf("%v %q: %q, %v", c.encoding, c.wire, got, ok)
		}
	}
}
