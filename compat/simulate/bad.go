package simulate

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// badRoles are those of clients that others must not suffer from. Labels of those
// that do not keep to the protocol are none of the others'.
var badRoles = []*role{
	&mortal, &mortal, &stopper,
	{name: "client with garbage", play: (*client).garbage, wild: true},
	{name: "client with mistakes", play: (*client).mistakes, wild: true},
	{name: "client with surplus descriptors", play: (*client).surplus, wild: true},
	{name: "client with strange descriptors", play: (*client).strange, wild: true},
	{name: "client with endless descriptors", play: (*client).endlessly, wild: true, endless: true},
	{name: "client that does not read", play: (*client).deaf, wild: true},
	{name: "client that floods", play: (*client).flood, wild: true},
	{name: "crowd", play: (*client).crowd, wild: true},
}

// tryTo sends what it can, and reads what there is.
func (c *client) tryTo(data string, files ...*file) bool {
	_, err := c.w.send(c.sock, []byte(data), files, false)
	c.say("sends %q with %d: %v", data, len(files), err)
	for _, f := range files {
		c.w.release(f)
	}
	c.sleep(c.rand.Int64N(3 * ms))
	if c.sock.events()&unix.EPOLLIN != 0 {
		c.read(make([]byte, 4096))
	}
	return err == 0 || err == unix.EAGAIN || err == unix.EPERM
}

func (c *client) again(do func()) {
	for range 1 + c.rand.IntN(3) {
		c.dial()
		do()
		if c.rand.IntN(4) == 0 {
			c.shutdownWrite()
		}
		c.hangUp()
		c.think()
	}
}

// shutdownWrite says nothing more, and reads for a while.
func (c *client) shutdownWrite() {
	c.w.shutdown(c.sock, unix.SHUT_WR)
	c.sleep(c.rand.Int64N(second))
}

func (c *client) garbage() {
	c.again(func() {
		for range 1 + c.rand.IntN(10) {
			garbage := make([]byte, 1+c.rand.IntN(300))
			for i := range garbage {
				garbage[i] = "\x00\x00az=\x01\xff"[c.rand.IntN(7)]
			}
			if !c.tryTo(string(garbage)) {
				return
			}
		}
	})
}

// requests are what a client says that does not keep to the protocol.
func (c *client) request() string {
	number := strconv.Itoa(c.rand.IntN(3))
	switch c.rand.IntN(6) {
	case 0:
		return list("request", "save_endp", "ttl", c.ttl(), "label", "bad"+number, "property", "worse")
	case 1:
		return list("request", "save_dest", "ttl", c.ttl(), "label", "bad"+number, "property", "worse", "label", "bad"+number)
	case 2:
		return list("request", "find_endp", "label", "bad"+number)
	case 3:
		return list("request", "find_dest", "label", "bad"+number)
	case 4:
		return list("dummy", "")
	}
	return list("request", "bogus", "label", strings.Repeat("x", c.rand.IntN(6000)))
}

func (c *client) mistakes() {
	c.again(func() {
		for range 1 + c.rand.IntN(20) {
			data := []byte(c.request())
			for range c.rand.IntN(3) {
				data[c.rand.IntN(len(data))] = "\x00zq:"[c.rand.IntN(4)]
			}
			if c.rand.IntN(3) == 0 {
				data = data[:c.rand.IntN(len(data))]
			}
			if len(data) > 0 && !c.tryTo(string(data)) {
				return
			}
		}
	})
}

// anything is a descriptor of any kind.
func (c *client) anything() *file {
	f := c.newSession()
	switch c.rand.IntN(6) {
	case 0:
		f.kind, f.closeTime = foreign, c.rand.Int64N(20*ms)
	case 1:
		f.listener, f.closeTime = true, 40*ms
	case 2:
		f.kind, f.closeTime = foreign, c.rand.Int64N(second)
	case 3: // its queue has descriptors in it
		f.kind, f.spoke, f.closeTime = local, true, 263*ms
	}
	return f
}

func (c *client) surplus() {
	c.again(func() {
		for range 1 + c.rand.IntN(5) {
			var files []*file
			for range 1 + c.rand.IntN(6) {
				files = append(files, c.anything())
			}
			if !c.tryTo(c.request(), files...) {
				return
			}
		}
	})
}

// strange saves descriptors that no session has, on urgent bytes for example.
func (c *client) strange() {
	c.again(func() {
		for range 1 + c.rand.IntN(6) {
			c.tryTo(list("request", "save_endp", "ttl", c.ttl(), "label", "bad", "property", "worse"))
			f := c.anything()
			urgent := c.rand.IntN(3) == 0
			files := []*file{f}
			if c.rand.IntN(3) == 0 {
				files = append(files, c.anything())
			}
			_, err := c.w.send(c.sock, []byte{0}, files, urgent)
			c.say("sends %d descriptors, urgent %v: %v", len(files), urgent, err)
			for _, f := range files {
				c.w.release(f)
			}
			if !c.tryTo(list("request", "find_endp", "label", "bad")) {
				return
			}
		}
	})
}

func (c *client) endlessly() {
	c.again(func() {
		for range 1 + c.rand.IntN(12) {
			f := c.w.newFile(foreign)
			f.refs, f.closeTime = 1, forever
			if !c.tryTo(c.request(), f) {
				return
			}
		}
	})
}

// deaf asks and does not read.
func (c *client) deaf() {
	c.dial()
	for range 400 {
		_, err := c.w.send(c.sock, []byte(c.request()), nil, false)
		if err != 0 && err != unix.EAGAIN {
			break
		}
		c.sleep(c.rand.Int64N(100 * us))
	}
	c.sleep(c.rand.Int64N(4 * second))
}

func (c *client) flood() {
	c.dial()
	for range 200 {
		request := strings.Repeat(list("request", "bogus"), 1+c.rand.IntN(200))
		if _, err := c.w.send(c.sock, []byte(request), nil, false); err != 0 && err != unix.EAGAIN {
			return
		}
		c.sleep(c.rand.Int64N(50 * us))
		c.read(make([]byte, 4096))
	}
}

// crowd connects again and again, and says nothing.
func (c *client) crowd() {
	var ends []*socket
	for range 1 + c.rand.IntN(60) {
		c.dial()
		ends, c.sock = append(ends, c.sock), nil
		if c.rand.IntN(4) == 0 {
			c.sleep(c.rand.Int64N(5 * ms))
		}
	}
	c.sleep(c.rand.Int64N(second))
	for _, s := range ends {
		c.w.release(s.file)
	}
}
