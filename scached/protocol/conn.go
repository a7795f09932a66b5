package protocol

import (
	"io"

	"scache/attrproto"
)

// An Action is what a [Conn] needs next.
type Action uint8

const (
	// Input: bytes from the client, at most BufferSize. Call Conn.Input with
	// them, or Conn.End.
	Input Action = iota
	// Descriptor: one byte from the client, and the descriptor that comes with
	// it. Call Conn.Received.
	Descriptor
	// Send: one NUL byte to the client, with the descriptor Conn.Session. Call
	// Conn.Sent.
	Send
	// AwaitRead: the client has to read all that it was sent. Call
	// Conn.AnswerRead.
	AwaitRead
	// Drop: the connection is to be closed.
	Drop
)

// state is where a Conn is in a conversation.
type state uint8

const (
	readingRequest    state = iota // the scan looks for the name of a request
	readingParameters              // for the parameters of that request
	readingDescriptor              // waiting for the descriptor of save_endp
	readingReady                   // for the dummy before the descriptor
	awaitingRead                   // until the client has read the answer
	sending                        // the descriptor can go
	readingReceived                // for the dummy after the descriptor
	readingLate                    // for the same, where there need not be one
)

// A Conn is one client's conversation with a [Service]. The zero value is to
// be opened before use, and can be opened again once it is closed.
type Conn struct {
	service *Service
	scan    attrproto.Scan
	state   state
	request *request
	number  int // of the request, requestKinds if it is unknown
	// duplex connections have a buffer for each direction, so that the buffer
	// rule does not apply to them.
	duplex bool

	// Input: between calls, in is empty or spill. It begins at the start of
	// the list that is being read and ends with the last byte that was given.
	in    []byte
	spill []byte // owned memory for in

	out       []byte // to be written
	arguments []byte // of save_endp, while its descriptor is awaited: label, property
	split     int    // where the property begins
	ttl       int
	transport uint8 // that made the request
	session   int   // being handed over; -1 for none
	lateDummy bool  // it may come instead of the next request
	silent    bool  // the client has not said anything yet
	opened    int64 // in seconds
	malformed int   // lists since the last request that was carried out
}

// mostMalformed is how many malformed lists are taken from a client while there
// are too many warnings. A read can have thousands of them, each with a warning.
const mostMalformed = 50

// Open makes the connection ready for a client, and greets it. A duplex
// connection has a buffer for each direction, as the reference has when it
// serves standard input and output.
func (c *Conn) Open(service *Service, duplex bool) {
	*c = Conn{service: service, duplex: duplex, session: -1, silent: true, opened: service.Cache.Now(),
		spill: c.spill[:0], out: c.out[:0], arguments: c.arguments[:0], scan: c.scan}
	c.scan.Limit = service.StringLimit
	if service.Verbose {
		c.scan.Trace, c.scan.Stream = service.Log.Info, service.stream
	}
	if !duplex {
		c.greet()
	}
	c.await(readingRequest, wantRequest, attrproto.FlagStrict|attrproto.FlagMore)
}

func (c *Conn) greet() {
	if c.service.Dialect.Greets {
		c.trace("protocol", ProtocolName)
		c.out = c.service.Dialect.AppendGreeting(c.out)
	}
}

// Output is what is to be written to the client before the next action. It is
// borrowed until Written.
func (c *Conn) Output() []byte { return c.out }

// Written tells that the first n bytes of Output are with the client.
func (c *Conn) Written(n int) {
	c.out = keep(c.out, c.out[n:])
}

// Session borrows the descriptor that is to be sent.
func (c *Conn) Session() int { return c.session }

// Idle tells that the client is between two requests, so that nothing is lost
// when the connection is closed.
func (c *Conn) Idle() bool {
	return c.state == readingRequest && len(c.in) == 0 && len(c.out) == 0
}

// HandingOver tells that the client was promised a session that it does not
// have yet, or has not said so. (smtp(8) ignores an error when it says so, and
// complains about the next request.)
func (c *Conn) HandingOver() bool { return c.session >= 0 }

// Input gives the connection bytes that it asked for, borrowed until the call
// returns, and the descriptors that came with them, which it takes ownership
// of. No descriptor is due here, unless the client does not wait for a dummy
// before it sends one.
func (c *Conn) Input(data []byte, descriptors []int) Action {
	c.silent = false
	if len(c.in) > 0 {
		c.spill = append(c.spill, data...)
		c.in = c.spill
	} else {
		c.in = data
	}
	early := -1
	for _, fd := range descriptors {
		if len(descriptors) == 1 && !c.service.Dialect.Before {
			early = fd
		} else {
			c.service.Close(fd)
		}
	}
	action := c.run(nil)
	if early >= 0 {
		action = c.receivedEarly(action, early)
	}
	return c.settle(action)
}

// settle moves what is left of the input into memory of the connection's own.
func (c *Conn) settle(action Action) Action {
	c.in = keep(c.spill, c.in)
	c.spill = c.in
	return action
}

// receivedEarly uses a descriptor that came while input was read. It is the
// one that is due now if its byte is the one that is left.
func (c *Conn) receivedEarly(action Action, fd int) Action {
	if action == Descriptor && len(c.in) > 0 {
		return c.received(fd, nil)
	}
	c.service.Close(fd)
	return action
}

// End tells that there is no more input: err is io.EOF, or the error of a read
// that failed or took too long (ETIMEDOUT). What the client is still told is in
// Output; after that the connection is to be closed.
func (c *Conn) End(err error) {
	failure := err
	if err == io.EOF {
		failure = nil // no call failed
	}
	switch c.state {
	case readingDescriptor:
		c.received(-1, failure)
	case awaitingRead, sending:
		c.failedToSend(failure)
	default:
		c.run(err)
	}
	c.in = nil
}

// Close ends the conversation: a session that was being handed over is closed.
func (c *Conn) Close() {
	c.service.said(c)
	if c.session >= 0 {
		c.handedOver(false)
	}
	c.in = nil
	c.spill = keep(c.spill, nil)
	c.out = keep(c.out, nil)
	c.arguments = keep(c.arguments, nil)
}

// Held is how many bytes of memory the conversation takes.
func (c *Conn) Held() int { return cap(c.spill) + cap(c.out) + cap(c.arguments) }

// run scans the input, list after list, as long as there is any.
func (c *Conn) run(end error) Action {
	for len(c.in) > 0 || end != nil {
		if c.lateDummy && len(c.in) > 0 {
			c.lateDummy = false
			if c.in[0] == wantDummy[0].Name[0] {
				c.await(readingLate, wantDummy, attrproto.FlagStrict)
			}
		}
		if !c.scan.Run(c.in, end) {
			return Input
		}
		count, err := c.scan.Result()
		if err != nil {
			for _, line := range err.Warnings(c.service.stream) {
				c.service.Log.Warning(line)
			}
			if err.Kind == attrproto.KindTooLong {
				return Drop
			}
			if c.malformed++; c.malformed >= mostMalformed && c.service.Flooded != nil && c.service.Flooded() {
				c.service.Log.Warning(c.service.stream + ": nothing but malformed requests, closing the connection")
				return Drop
			}
		}
		list := c.in
		c.in = c.in[c.scan.Consumed():]
		if end != nil && len(list) == 0 && c.state == readingRequest {
			return Input
		}
		if action := c.scanned(list, count); action != Input {
			return action
		}
	}
	return Input
}

// scanned goes on after the list that the state stands for was read, with
// count values.
func (c *Conn) scanned(list []byte, count int) Action {
	switch c.state {
	case readingRequest:
		if count != 1 {
			c.awaitRequest()
			return Input
		}
		return c.begin(c.scan.Bytes(list, 0))
	case readingParameters:
		action := c.request.serve(c, list, count)
		if c.state == readingParameters { // answered
			c.awaitRequest()
		}
		return action
	case readingReady:
		if count != 1 {
			return c.failedToSend(nil)
		}
		c.state = sending
		return Send
	case readingReceived:
		if count != 1 {
			return c.failedToSend(nil)
		}
		c.handedOver(true)
		return Input
	default: // readingLate
		c.awaitRequest()
		return Input
	}
}

// begin starts the request with that name.
func (c *Conn) begin(name []byte) Action {
	c.number = c.service.findRequest(name)
	if c.number == requestKinds {
		c.service.Log.Warning(`unrecognized request: "` + string(name) + `", ignored`)
		c.awaitRequest()
		c.reply(StatusBad)
		return Input
	}
	c.request = &requests[c.number]
	c.await(readingParameters, c.request.wants, attrproto.FlagStrict)
	return Input
}

// await makes the next list of the input the one that the state is about.
func (c *Conn) await(state state, wants []attrproto.Want, flags attrproto.Flags) {
	c.state = state
	c.scan.Start(flags, wants)
}

func (c *Conn) awaitRequest() {
	c.await(readingRequest, wantRequest, attrproto.FlagStrict|attrproto.FlagMore)
}

// keep copies what is left of a buffer into memory that is used again, unless
// that is large and no longer needed.
func keep(memory, left []byte) []byte {
	if len(left) == 0 && cap(memory) > BufferSize {
		return nil
	}
	if len(left) > 0 && cap(memory) > 0 && &memory[:1][0] == &left[0] {
		return left // it is in its place
	}
	return append(memory[:0], left...)
}
