package attrtool

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"scache/attrproto"
)

// jsonList is a list in the format JSON.
type jsonList struct {
	Attributes []jsonItem `json:"attributes"`
	Open       bool       `json:"open,omitempty"` // its end is missing
}

// jsonItem is an attribute, with one member for each of its strings, or the
// mark of a group.
type jsonItem struct {
	Name        *string `json:"name,omitempty"`
	NameBase64  []byte  `json:"name_base64,omitempty"`
	Value       *string `json:"value,omitempty"`
	ValueBase64 []byte  `json:"value_base64,omitempty"`
	Group       string  `json:"group,omitempty"` // open or close
}

// jsonPrinter writes the format JSON.
type jsonPrinter struct {
	encoder *json.Encoder
	list    jsonList
}

func newJSONPrinter(w io.Writer) *jsonPrinter {
	p := &jsonPrinter{encoder: json.NewEncoder(w)}
	p.encoder.SetEscapeHTML(false)
	return p
}

func (p *jsonPrinter) item(item attrproto.Item) error {
	var j jsonItem
	switch item.Kind {
	case attrproto.ItemOpen:
		j.Group = "open"
	case attrproto.ItemClose:
		j.Group = "close"
	case attrproto.ItemEnd:
		return p.print()
	default:
		j.Name, j.NameBase64 = jsonText(item.Name)
		j.Value, j.ValueBase64 = jsonText(item.Value)
	}
	p.list.Attributes = append(p.list.Attributes, j)
	return nil
}

func (p *jsonPrinter) flush() error {
	if len(p.list.Attributes) == 0 {
		return nil
	}
	p.list.Open = true
	return p.print()
}

func (p *jsonPrinter) print() error {
	if p.list.Attributes == nil {
		p.list.Attributes = []jsonItem{}
	}
	err := p.encoder.Encode(p.list)
	p.list = jsonList{}
	return err
}

// jsonText is a string as one of the two members that it may be.
func jsonText(text []byte) (plain *string, encoded []byte) {
	if !utf8.Valid(text) {
		return nil, append([]byte(nil), text...)
	}
	s := string(text)
	return &s, nil
}

// readJSON reads the format JSON.
func readJSON(r io.Reader, f func(attrproto.Item) error) error {
	decoder := json.NewDecoder(r)
	decoder.DisallowUnknownFields()
	for number := 1; ; number++ {
		var list jsonList
		err := decoder.Decode(&list)
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = list.items(f)
		}
		if err != nil {
			return fmt.Errorf("list %d: %w", number, err)
		}
	}
}

func (l *jsonList) items(f func(attrproto.Item) error) error {
	for _, j := range l.Attributes {
		item, err := j.item()
		if err == nil {
			err = f(item)
		}
		if err != nil {
			return err
		}
	}
	if l.Open {
		return nil
	}
	return f(attrproto.Item{Kind: attrproto.ItemEnd})
}

func (j *jsonItem) item() (item attrproto.Item, err error) {
	switch {
	case j.Group == "open":
		return attrproto.Item{Kind: attrproto.ItemOpen}, nil
	case j.Group == "close":
		return attrproto.Item{Kind: attrproto.ItemClose}, nil
	case j.Group != "":
		return item, fmt.Errorf("a group has an open and a close, not %q", j.Group)
	}
	item.Kind = attrproto.ItemAttribute
	var okName, okValue bool
	item.Name, okName = wireText(j.Name, j.NameBase64)
	item.Value, okValue = wireText(j.Value, j.ValueBase64)
	if !okName || !okValue {
		return item, errors.New("an attribute has one name and one value")
	}
	return item, nil
}

// wireText is the string that one of two members gives.
func wireText(plain *string, encoded []byte) (text []byte, ok bool) {
	if plain != nil {
		return []byte(*plain), encoded == nil
	}
	return encoded, encoded != nil
}
