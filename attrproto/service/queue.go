package service

import (
	"fmt"
	"iter"

	"scache/attrproto"
)

// A Message is one in the mail queue. As JSON it is what "postqueue -j" prints.
// Addresses are in the form that they have in messages, and text is printable.
type Message struct {
	Queue        string      `json:"queue_name"`    // maildrop, incoming, active, deferred or hold
	ID           string      `json:"queue_id"`      // of any length
	Arrival      int64       `json:"arrival_time"`  // in seconds since 1970
	Size         int64       `json:"message_size"`  // in bytes
	ForcedExpire bool        `json:"forced_expire"` // by postsuper -e or -f; Postfix 3.5 and later
	Sender       string      `json:"sender"`
	Recipients   []Recipient `json:"recipients"` // those that the message still has to reach
}

// A Recipient is one that a message has to reach.
type Recipient struct {
	Address string `json:"address"`
	Reason  string `json:"delay_reason,omitempty"` // why it was not reached yet
}

// Queue lists the mail queue, message by message while showq(8) finds them. It
// works with Postfix 3.1 and later: one that greets is recognised, whatever
// NoGreeting says. The sequence ends with the first error.
//
// From src/showq/showq.c, and src/postqueue/showq_json.c for what is checked.
func (p Postfix) Queue() iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		p.NoGreeting = true // readQueue looks for itself
		c, err := p.dial("showq")
		if err != nil {
			yield(Message{}, fmt.Errorf("list the queue: %w", err))
			return
		}
		defer c.Close()
		for message, err := range readQueue(c.in) {
			if err != nil {
				err = fmt.Errorf("list the queue: %w", err)
			}
			if !yield(message, err) {
				return
			}
			c.extend()
		}
	}
}

// readQueue reads a listing, with or without a greeting.
func readQueue(r *attrproto.Reader) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		if name, err := r.NextName(); err == nil && string(name) == "protocol" {
			r.Greeting("mail_queue_list_protocol")
		}
		for r.More() {
			message, err := readMessage(r)
			if err != nil {
				break
			}
			if !yield(message, nil) {
				return
			}
		}
		if err := r.Err(); err != nil {
			yield(Message{}, err)
		}
	}
}

func readMessage(r *attrproto.Reader) (m Message, err error) {
	const flags = attrproto.FlagStrict | attrproto.FlagMore | attrproto.FlagSanitize
	r.Scan(flags,
		attrproto.StringVar("queue_name", &m.Queue),
		attrproto.StringVar("queue_id", &m.ID),
		attrproto.LongVar("time", &m.Arrival),
		attrproto.LongVar("size", &m.Size))
	if name, err := r.NextName(); err == nil && string(name) == "forced_expire" {
		var forced int
		r.Scan(flags, attrproto.IntVar("forced_expire", &forced))
		m.ForcedExpire = forced != 0
	}
	r.Scan(flags, attrproto.StringVar("sender", &m.Sender))
	m.Recipients = []Recipient{} // an empty array in JSON, not null
	for r.More() {
		var to Recipient
		r.Scan(flags, attrproto.StringVar("recipient", &to.Address), attrproto.StringVar("reason", &to.Reason))
		m.Recipients = append(m.Recipients, to)
	}
	return m, r.Err()
}
