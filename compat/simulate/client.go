package simulate

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"time"

	"golang.org/x/sys/unix"
)

// A role is what a client does with its time.
type role struct {
	name    string
	play    func(c *client)
	mortal  bool // it may die at any moment
	wild    bool // it does not keep to the protocol
	endless bool // what it sends may never close
}

// A client is a process that uses the service. What it does is a coroutine.
type client struct {
	w    *world
	part part
	name string
	rand *rand.Rand
	*actor

	yield func(pause) bool
	sock  *socket // nil when it is not connected
	in    []byte  // what it has read and not used
	life  int     // how much it will do before it dies; negative for ever
}

// An actor acts whenever its pause is over.
type actor struct {
	pause
	outside bool // it acts while the server waits, never in the middle of a turn
	next    func() (pause, bool)
	stop    func()
}

// A pause lasts until a time, and then until a condition holds, if it has one, but
// not for longer than a limit.
type pause struct {
	until, limit int64
	ready        func() bool
}

// Panics that end a client's coroutine.
type (
	stopped struct{} // the world has ended
	died    struct{}
)

func (w *world) newClient(p part) *client {
	c := &client{w: w, part: p, name: p.String(), rand: rand.New(rand.NewPCG(w.plan.seed, uint64(p.number)+2)), life: -1}
	if p.role.mortal {
		c.life = c.rand.IntN(60)
	}
	c.actor = &actor{}
	c.until = p.start
	c.actor.next, c.stop = iter.Pull(func(yield func(pause) bool) {
		c.yield = yield
		defer func() {
			switch reason := recover(); reason.(type) {
			case nil, stopped:
			case died:
				c.hangUp()
			default:
				panic(reason)
			}
		}()
		p.role.play(c)
		c.hangUp()
	})
	w.actors = append(w.actors, c.actor)
	return c
}

// pick is an actor that can act, nil if there is none.
func (w *world) pick() (chosen *actor) {
	n := 0
	for _, a := range w.actors {
		if a.until > w.now || a.ready != nil && w.now < a.limit && !a.ready() {
			continue
		}
		if n++; n == 1 || w.rand.IntN(n) == 0 {
			chosen = a
		}
	}
	return chosen
}

func (w *world) act(a *actor) {
	w.acting, w.turn.alone = true, 0
	next, ok := a.next()
	w.acting = false
	a.pause = next
	if !ok {
		a.until = forever
	}
}

// A fate is what happens to a session at its remote end, or to the machine.
type fate struct {
	at    int64
	file  *file // nil for the machine
	ends  bool
	jump  int64 // of the wall clock
	short int64 // for how long no files can be opened
}

// step lets the next thing happen, and the time pass until then. It reports
// false when nothing happens until then.
func (w *world) step(until int64) bool {
	w.finishTasks()
	if a := w.pick(); a != nil {
		w.now += us + w.rand.Int64N(4*us)
		w.act(a)
		return true
	}
	at := forever
	for _, a := range w.actors {
		if a.until > w.now {
			at = min(at, a.until)
		} else {
			at = min(at, a.limit)
		}
	}
	for _, f := range w.fates {
		at = min(at, f.at)
	}
	for _, t := range w.tasks {
		if t.running {
			at = min(at, t.done)
		}
	}
	for _, e := range w.errands {
		if e.over > w.now {
			at = min(at, e.over)
		}
	}
	if at > until || at == forever {
		return false
	}
	w.now, w.turn.alone = max(w.now, at), 0
	for i := 0; i < len(w.fates); {
		f := w.fates[i]
		if f.at > w.now {
			i++
			continue
		}
		w.fates = append(w.fates[:i], w.fates[i+1:]...)
		w.befall(f)
	}
	w.finishTasks()
	return true
}

func (w *world) befall(f fate) {
	if f.file == nil {
		w.say("the wall clock jumps by %v; there are no files for %v", time.Duration(f.jump), time.Duration(f.short))
		w.ahead += f.jump
		w.noFiles = w.now + f.short
		return
	}
	w.say("the remote end of %d: ends %v", f.file.number, f.ends)
	f.file.ended = f.file.ended || f.ends
	f.file.spoke = true
	if f.file.kind == local && f.file.closeTime < 20*ms {
		f.file.closeTime = 20 * ms // there may be descriptors in the queue
	}
}

func (c *client) say(format string, arguments ...any) {
	if c.w.trace != nil {
		c.w.say("%s: %s", c.name, fmt.Sprintf(format, arguments...))
	}
}

func (c *client) pauseFor(p pause) {
	if !c.yield(p) {
		panic(stopped{})
	}
}

func (c *client) sleep(d int64) { c.pauseFor(pause{until: c.w.now + d}) }

// patience is how long a client that keeps to the protocol waits at most.
func (c *client) patience() int64 {
	if c.w.model.relaxed || c.w.plan.faults > 0 {
		return 5 * second
	}
	if !c.w.plan.dialect.Before {
		return 60 * ms // where the descriptor follows some time after the answer
	}
	return 10 * ms
}

// await waits until a condition holds, and reports false when that takes too
// long.
func (c *client) await(ready func() bool) bool {
	c.live()
	limit := c.w.now + c.patience()
	c.pauseFor(pause{until: c.w.now + c.rand.Int64N(20*us), limit: limit, ready: ready})
	return ready()
}

// live uses up some of the life of who is mortal.
func (c *client) live() {
	if c.life > 0 {
		c.life--
	}
	if c.life == 0 {
		c.say("dies")
		panic(died{})
	}
}

// connect connects to the service, and reads the greeting. It reports false when
// the service does not want it.
func (c *client) connect() bool {
	c.dial()
	if c.w.plan.dialect.Greets {
		_, ok := c.answer()
		return ok
	}
	return true
}

// dial connects, and says nothing.
func (c *client) dial() {
	c.hangUp()
	for len(c.w.backlog) >= 100 {
		c.sleep(10 * ms)
	}
	mine, service := c.w.pair(c.w.plan.room)
	service.talk = &conversation{w: c.w, client: c}
	c.sock, c.in = mine, nil
	c.w.backlog = append(c.w.backlog, service)
	c.say("connects")
}

// hangUp closes the connection.
func (c *client) hangUp() {
	if c.sock != nil {
		c.say("hangs up")
		c.w.release(c.sock.file)
		c.sock = nil
	}
}

func (c *client) readable() bool { return c.sock.events()&(unix.EPOLLIN|unix.EPOLLERR) != 0 }

// send sends everything, in pieces of any size, the files with the first of them. It
// reports false when the connection is broken.
func (c *client) send(data string, files ...*file) bool {
	for len(data) > 0 {
		c.live()
		n := len(data)
		if c.rand.IntN(4) == 0 {
			n = 1 + c.rand.IntN(n)
		}
		sent, err := c.w.send(c.sock, []byte(data[:n]), files, false)
		c.say("sends %q with %d: %d, %v", data[:n], len(files), sent, err)
		switch err {
		case 0:
			data, files = data[sent:], nil
			if len(data) > 0 {
				c.sleep(c.rand.Int64N(2 * ms))
			}
		case unix.EAGAIN:
			if !c.await(func() bool { return c.sock.events()&(unix.EPOLLOUT|unix.EPOLLHUP|unix.EPOLLERR) != 0 }) {
				return false
			}
		case unix.EPERM:
			if !c.part.role.wild {
				return c.wrong("%s cannot send a descriptor that is due", c.name)
			}
			return false
		default:
			return false
		}
	}
	return true
}

// answer reads a list, as a buffered stream does: with read(2), which takes what
// is there. It reports false when the connection has ended.
func (c *client) answer() (words [][2]string, ok bool) {
	buffer := make([]byte, 4096)
	for {
		if words, rest, ok := cut(c.in); ok {
			c.in = rest
			if !c.w.plan.dialect.Before {
				// Who reads like that returns a while after the kernel has given it the last byte.
				c.sleep(c.rand.Int64N(20 * ms))
				c.read(buffer)
			}
			return words, true
		}
		if !c.await(c.readable) {
			c.waits()
			return nil, false
		}
		if n, ok := c.read(buffer[:1+c.rand.IntN(len(buffer))]); !ok || n == 0 {
			return nil, false
		}
	}
}

// read is read(2), which loses descriptors.
func (c *client) read(p []byte) (n int, ok bool) {
	n, files, err := c.w.receive(c.sock, p)
	c.say("reads %q, %d, %v", p[:n], len(files), err)
	for _, f := range files {
		c.w.release(f)
	}
	if len(files) > 0 && !c.part.role.wild {
		c.w.fail("%s reads its answer, and loses the descriptor that came with it", c.name)
	}
	c.in = append(c.in, p[:n]...)
	return n, err == 0
}

// receive receives a descriptor; the file is nil if there is none.
func (c *client) receive() *file {
	if !c.await(c.readable) {
		c.waits()
		return nil
	}
	n, files, err := c.w.receive(c.sock, make([]byte, 1))
	c.say("receives %d bytes with %d, %v", n, len(files), err)
	if n == 0 {
		return nil
	}
	if len(files) != 1 {
		c.w.fail("%s is to get a descriptor, and gets %d", c.name, len(files))
	}
	return files[0]
}

// waits is that the client has waited for too long.
func (c *client) waits() {
	w := c.w
	if !c.part.role.wild && !w.model.ending && !w.released && !(w.plan.endless && w.model.relaxed) {
		w.fail("%s has kept to the protocol, and waits for the server", c.name)
	}
}
