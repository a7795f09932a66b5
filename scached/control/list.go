package control

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"scache/attrproto"
	"scache/scached/protocol"
)

// A Filter says which sessions and bindings are meant. A field that is empty says
// nothing.
type Filter struct {
	Transport   string // the first field of a label: the transport, or its name space
	Destination string // a field of a destination's label, such as its nexthop
	Endpoint    string // a field of an endpoint's label, such as its address
	Prefix      bool   // the fields begin with these texts; otherwise they are these
}

func (f Filter) attributes() []protocol.Attribute {
	match := protocol.MatchExact
	if f.Prefix {
		match = protocol.MatchPrefix
	}
	return []protocol.Attribute{
		{Name: "transport", Value: f.Transport}, {Name: "destination", Value: f.Destination},
		{Name: "endpoint", Value: f.Endpoint}, {Name: "match", Value: match},
	}
}

// An Entry is a session or a binding in the cache. Its strings are bytes that
// clients have sent; of long ones only the beginning is told.
type Entry struct {
	Sequence  uint64 // counts saves
	Transport string // that saved it
	Label     string // of the endpoint of a session, or the destination of a binding
	Property  string
	Endpoint  string        // of a binding: the label that it leads to
	Age       time.Duration // whole seconds since it was saved
	Left      time.Duration // until it goes
	Size      int           // bytes of its strings
	Alive     bool          // of a session: it would be handed out
}

// Sessions passes the sessions that are meant on to each, in the order in which
// they were saved, until it returns an error. One that stays in the cache for as
// long as that takes comes exactly once.
func (c *Client) Sessions(ctx context.Context, f Filter, each func(Entry) error) error {
	return c.list(ctx, protocol.WhatSessions, f, each)
}

// Bindings is for bindings what Sessions is for sessions.
func (c *Client) Bindings(ctx context.Context, f Filter, each func(Entry) error) error {
	return c.list(ctx, protocol.WhatBindings, f, each)
}

func (c *Client) list(ctx context.Context, what string, f Filter, each func(Entry) error) error {
	t, err := c.connect(ctx)
	if err != nil {
		return err
	}
	defer t.conn.Close()
	parameters := append([]protocol.Attribute{{Name: "what", Value: what}}, f.attributes()...)
	for cursor, more := "", true; more; more = cursor != "" {
		page := append(parameters[:len(parameters):len(parameters)], protocol.Attribute{Name: "cursor", Value: cursor},
			protocol.Attribute{Name: "count", Value: strconv.Itoa(protocol.MaxEntries)})
		begun := time.Now()
		entries, next, err := t.page(ctx, what, page)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Path, err)
		}
		rest(ctx, time.Since(begun))
		for _, e := range entries {
			if err := each(e); err != nil {
				return err
			}
		}
		cursor = next
	}
	return nil
}

// rest leaves the server to others between two pages: for as long as the last one
// took, so that a long listing has half of its time at most.
func rest(ctx context.Context, took time.Duration) {
	const least, most = 100 * time.Microsecond, 10 * time.Millisecond
	select {
	case <-ctx.Done():
	case <-time.After(min(max(took, least), most)):
	}
}

func (t *conversation) page(ctx context.Context, what string, parameters []protocol.Attribute) (entries []Entry, cursor string, err error) {
	if err = t.ask(ctx, protocol.RequestList, parameters...); err != nil {
		return nil, "", err
	}
	var count int
	if err = t.read(ctx, attrproto.StringVar("cursor", &cursor), attrproto.IntVar("entries", &count)); err != nil {
		return nil, "", err
	}
	for range min(count, protocol.MaxEntries) {
		e, err := t.entry(ctx, what)
		if err != nil {
			return nil, "", err
		}
		entries = append(entries, e)
	}
	return entries, cursor, t.end(ctx)
}

func (t *conversation) entry(ctx context.Context, what string) (e Entry, err error) {
	var age, left int64
	var size, alive int
	wants := []attrproto.Want{
		attrproto.LongVar("sequence", &e.Sequence), attrproto.StringVar("transport", &e.Transport),
		attrproto.StringVar("label", &e.Label), attrproto.StringVar("property", &e.Property),
	}
	if what == protocol.WhatBindings {
		wants = append(wants, attrproto.StringVar("endpoint", &e.Endpoint))
	}
	wants = append(wants, attrproto.LongVar("age", &age), attrproto.LongVar("left", &left), attrproto.IntVar("size", &size))
	if what == protocol.WhatSessions {
		wants = append(wants, attrproto.IntVar("alive", &alive))
	}
	err = t.read(ctx, wants...)
	e.Age, e.Left = time.Duration(age)*time.Second, time.Duration(left)*time.Second
	e.Size, e.Alive = size, alive != 0
	return e, err
}

// Flush makes the server give up the bindings that are meant, and the sessions:
// with a destination those of the endpoints that its bindings lead to. It says how
// many went.
func (c *Client) Flush(ctx context.Context, f Filter) (sessions, bindings int, err error) {
	t, err := c.connect(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer t.conn.Close()
	for cursor, more := "", true; more; more = cursor != "" {
		var s, b int
		err := t.ask(ctx, protocol.RequestFlush, append(f.attributes(), protocol.Attribute{Name: "cursor", Value: cursor})...)
		if err == nil {
			err = t.read(ctx, attrproto.StringVar("cursor", &cursor), attrproto.IntVar("sessions", &s), attrproto.IntVar("bindings", &b))
		}
		if err == nil {
			err = t.end(ctx)
		}
		if err != nil {
			return sessions, bindings, fmt.Errorf("%s: %w", c.Path, err)
		}
		sessions, bindings = sessions+s, bindings+b
	}
	return sessions, bindings, nil
}
