package attrtool

import (
	"bufio"
	"fmt"
	"io"

	"scache/attrproto"
)

// A Format is one for text.
type Format uint8

const (
	Lines Format = iota
	JSON
)

// Decode reads a stream of lists and writes it in a format. When the stream is
// malformed or ends in the middle of an attribute, what came before is written,
// and the error tells the offset.
func Decode(w io.Writer, r io.Reader, e attrproto.Encoding, f Format) error {
	var p printer = &linePrinter{w: bufio.NewWriter(w)}
	if f == JSON {
		p = newJSONPrinter(w)
	}
	err := takeApart(r, e, p.item)
	if flushErr := p.flush(); err == nil {
		err = flushErr
	}
	return err
}

// Encode reads text in a format and writes the lists that it stands for.
func Encode(w io.Writer, r io.Reader, e attrproto.Encoding, f Format) error {
	a := &assembler{w: w, encoding: e}
	read := readLines
	if f == JSON {
		read = readJSON
	}
	err := read(r, a.add)
	if flushErr := a.flush(); err == nil {
		err = flushErr
	}
	return err
}

// A printer writes items.
type printer interface {
	item(attrproto.Item) error
	flush() error // what the input left open
}

// takeApart reads a stream item by item and shows them to f, which borrows them.
func takeApart(r io.Reader, e attrproto.Encoding, f func(attrproto.Item) error) error {
	consumer := attrproto.Consumer{Encoding: e}
	var buf []byte
	for offset := 0; ; {
		item, n, err := consumer.Consume(buf)
		switch {
		case err != nil:
			if e, ok := err.(*attrproto.Error); ok {
				e.Offset += offset
			}
			return err
		case n > 0:
			if err := f(item); err != nil {
				return err
			}
			buf, offset = buf[n:], offset+n
			continue
		}
		if buf, err = readMore(r, buf); err == io.EOF && len(buf) == 0 {
			return nil
		} else if err == io.EOF {
			return fmt.Errorf("the input ends in the middle of an attribute, which starts at offset %d: %w", offset, io.ErrUnexpectedEOF)
		} else if err != nil {
			return fmt.Errorf("read: %w", err)
		}
	}
}

// readMore adds what one read brings to buf.
func readMore(r io.Reader, buf []byte) ([]byte, error) {
	if cap(buf)-len(buf) < 512 {
		buf = append(make([]byte, 0, max(2*len(buf), 4096)), buf...)
	}
	n, err := r.Read(buf[len(buf):cap(buf)])
	buf = buf[:len(buf)+n]
	if n > 0 {
		err = nil // it comes again
	}
	return buf, err
}

// An assembler writes items to a stream, a list at a time.
type assembler struct {
	w        io.Writer
	encoding attrproto.Encoding
	buf      []byte
	group    bool
}

func (a *assembler) add(item attrproto.Item) (err error) {
	if a.buf, err = a.encoding.AppendItem(a.buf, item, a.group); err != nil {
		return err
	}
	a.group = item.Kind == attrproto.ItemOpen || a.group && item.Kind == attrproto.ItemAttribute
	if item.Kind == attrproto.ItemEnd {
		return a.flush()
	}
	return nil
}

func (a *assembler) flush() error {
	_, err := a.w.Write(a.buf)
	a.buf = a.buf[:0]
	return err
}
