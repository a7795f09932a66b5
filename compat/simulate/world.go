package simulate

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"golang.org/x/sys/unix"

	"scache/scached/server"
)

// A world is a server, its kernel and everybody else. It is the server's kernel
// itself.
type world struct {
	server.Kernel // nil: a method that is missing here ends the world that calls it

	plan   *plan
	rand   *rand.Rand // the kernel's
	server *server.Server
	model  model
	trace  io.Writer // nil for none
	lines  []string  // of the server's log

	now   int64 // since epoch
	ahead int64 // of the wall clock
	files int

	table      []*descriptor // the server's
	open       int
	watches    []watch
	events     []unix.EpollEvent
	fds        []int
	talks      []*conversation // by descriptor
	backlog    []*socket
	listening  *file
	master     *file
	masterGone bool
	listenShut bool
	woken      bool
	released   bool
	toEnd      bool  // somebody has ended the server
	lonely     int64 // since when it has no clients
	flying     int   // descriptors on their way
	tasks      []task
	lastClosed int64
	errands    []errand
	noFiles    int64 // until when the system has no more

	actors []*actor
	acting bool
	fates  []fate

	properties int // how many sessions have one of their own

	turn struct {
		start, calls int64
		lost         int64 // time that is not the server's fault
		alone        int   // turns since somebody else has done something
		number       int
		busy         bool // the server is in one
	}
}

// The server's own descriptors.
const (
	listenFD = 3
	masterFD = 4
)

// mostCalls is how many system calls a turn may make, and turnTime how long it may
// take, which is more than the server allows itself for each of its tasks.
const (
	mostCalls = 20_000
	turnTime  = 3 * ms
	// mostLastCalls is how many the last one may make, in which the server takes its
	// time to answer what it can.
	mostLastCalls = 1_000_000
	// mostAlone is how many turns may follow each other while nobody else does
	// anything. Meanwhile the server can read what is in the queues.
	mostAlone = 2000
	// lateTime is how late a turn may be that drops a session.
	lateTime = 50 * ms
	// closeTime is how long it may take until what was dropped is closed.
	closeTime = 100 * ms
	// endTime is how long it may take to end.
	endTime = second
)

// A violation is what the server must not do.
type violation struct{ text string }

// fail ends the world: the server has done what it must not.
func (w *world) fail(format string, arguments ...any) {
	panic(violation{fmt.Sprintf(format, arguments...)})
}

// say adds a line to the trace.
func (w *world) say(format string, arguments ...any) {
	if w.trace != nil {
		w.print(format, arguments)
	}
}

func (w *world) print(format string, arguments []any) {
	fmt.Fprintf(w.trace, "%13.6f  %s\n", time.Duration(w.now).Seconds(), fmt.Sprintf(format, arguments...))
}

// call begins a system call of the server: it takes time, and others may do
// something meanwhile.
func (w *world) call(format string, arguments ...any) {
	if format != "" && w.trace != nil {
		w.print("  "+format, arguments)
	}
	w.now += 500 + w.rand.Int64N(1000)
	w.finishTasks()
	most := int64(mostCalls)
	if w.model.ending {
		most = mostLastCalls
	}
	if w.turn.calls++; w.turn.calls > most {
		w.fail("a turn of more than %d system calls", most)
	}
	if w.turn.busy && !w.acting && w.rand.IntN(16) == 0 {
		if a := w.pick(); a != nil && !a.outside {
			w.act(a)
		}
	}
}

// mostReads is how often a client is read from in a turn: for an event, and when
// it has returned from its read.
const mostReads = 2

// received counts what the server reads in a turn.
func (w *world) received(t *conversation) {
	if t.turn != w.turn.number {
		t.turn, t.reads = w.turn.number, 0
	}
	if t.reads++; t.reads > mostReads && w.turn.busy && !w.model.ending {
		w.fail("%s is read from %d times in a turn", t.client.name, t.reads)
	}
}

func (w *world) beginTurn(events int) {
	w.turn.number++
	w.turn.start, w.turn.lost, w.turn.calls, w.turn.busy = w.now, 0, 0, true
	w.say("turn %d, %d events", w.turn.number, events)
	w.model.tick()
}

func (w *world) endTurn() {
	if !w.turn.busy {
		return
	}
	w.turn.busy = false
	if took := w.now - w.turn.start - w.turn.lost; took > turnTime {
		w.fail("a turn takes %v", time.Duration(took))
	}
	if w.turn.alone++; w.turn.alone > mostAlone {
		w.fail("%d turns, and nothing has happened", w.turn.alone)
	}
	w.model.checkDropped()
}

// Info and Warning are the server's log.
func (w *world) Info(text string) { w.log("info: " + text) }

func (w *world) Warning(text string) { w.log("warning: " + text) }

func (w *world) log(line string) {
	w.say("    log: %s", line)
	w.lines = append(w.lines, line)
}

func nativePut(p []byte, n uint32) {
	if len(p) >= 4 {
		binary.NativeEndian.PutUint32(p, n)
	}
}

func newWorld(p *plan, trace io.Writer) *world {
	w := &world{plan: p, trace: trace, rand: rand.New(rand.NewPCG(p.seed, 1)), table: make([]*descriptor, p.descriptors)}
	w.model.open(w)
	for range listenFD {
		f := w.newFile(own)
		f.refs = 1
		w.install(f)
	}
	w.listening, w.master = w.newFile(listening), w.newFile(own)
	for _, f := range []*file{w.listening, w.master} {
		f.refs = 1
		w.install(f)
	}
	for _, part := range p.clients {
		w.newClient(part)
	}
	for range p.jumps {
		furthest := []int64{second / 2, 5 * second, 3600 * second}[w.rand.IntN(3)]
		w.fates = append(w.fates, fate{at: w.rand.Int64N(p.end), jump: w.rand.Int64N(2*furthest) - furthest})
	}
	if p.faults > 0 && w.rand.IntN(4) == 0 {
		w.fates = append(w.fates, fate{at: w.rand.Int64N(p.end), short: w.rand.Int64N(second)})
	}
	w.newClient(part{number: auditorNumber, role: &auditor, start: p.end})
	return w
}

// live lets the server live to its end.
func (w *world) live() {
	p := w.plan
	var err error
	w.server, err = server.New(server.Config{
		Name: "scache", Dialect: p.dialect, TTLLimit: time.Duration(p.ttlLimit) * time.Second, Log: w,
		Listen: []int{listenFD}, Master: masterFD, Notify: func(bool) {}, LiveCheck: p.live, Control: true,
		MaxIdle: time.Duration(p.idle), IPCTimeout: time.Duration(p.timeout), StringLimit: 4096,
		Limits: p.limits, MaxClients: p.maxClients, NameSpaces: p.spaces, Version: "simulated", Kernel: w,
		Statistics: time.Duration(p.statistics), Verbose: p.verbose, Quit: p.quit,
	})
	if err == nil {
		err = w.server.Run()
	}
	if err != nil {
		w.fail("the server ends with %v", err)
	}
	w.turn.busy = false
	if took := w.now - w.model.endedAt; took > endTime {
		w.fail("the server takes %v to end", time.Duration(took))
	}
	if !w.model.ending {
		w.fail("the server returns, and has not begun to end")
	}
	w.server.Report()
	w.server.Close()
	w.checkEnd()
}

// checkEnd looks at what is left.
func (w *world) checkEnd() {
	if !w.released {
		w.fail("the server does not release its kernel")
	}
	for len(w.tasks) > 0 { // even what hangs is answered at last
		for i := range w.tasks {
			w.tasks[i].done = w.now
		}
		w.finishTasks()
	}
	for fd := masterFD + 1; fd < len(w.table); fd++ {
		if d := w.table[fd]; d != nil && d.lent {
			w.remove(fd) // which the process takes with it
		} else if d != nil {
			w.fail("descriptor %d is left open: %v", fd, d.session)
		}
	}
	if w.open != masterFD+1 {
		w.fail("the server has closed a descriptor that was not its own")
	}
}

// stop ends the coroutines.
func (w *world) stop() {
	for _, a := range w.actors {
		a.stop()
	}
}
