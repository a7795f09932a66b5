package simulate

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"scache/scached/cache"
	"scache/scached/protocol"
)

const (
	us      = int64(time.Microsecond)
	ms      = int64(time.Millisecond)
	second  = int64(time.Second)
	forever = int64(1) << 61
)

// A plan is what a seed decides before anything happens: the server's settings,
// what the kernel is like, and who is there.
type plan struct {
	seed    uint64
	dialect protocol.Dialect
	live    bool
	spaces  []protocol.NameSpace
	limits  cache.Limits

	ttlLimit   int // seconds
	timeout    int64
	idle       int64
	statistics int64
	verbose    bool
	quit       bool
	maxClients int

	descriptors int
	room        int // of a socket's queue
	flightLimit int
	passRights  bool
	faults      int // in 256 calls of those that can fail; 0 for none
	jumps       int // of the wall clock
	end         int64
	ending      int  // how it comes to its end
	promised    bool // when somebody is promised a session
	clients     []part

	// What a client that keeps to the protocol may suffer from.
	short   bool // descriptors, memory, clients
	endless bool // somebody has sent descriptors whose close hangs
	wild    bool // somebody does not keep to the protocol
}

// How a server comes to its end.
const (
	terminated = iota
	masterDies
	listenerShut
	endings
)

// A part is that of one client.
type part struct {
	number int
	role   *role
	start  int64
}

func (p part) String() string { return fmt.Sprintf("%s %d", p.role.name, p.number) }

// newPlan makes a plan from a seed. Without are numbers of clients that are to stay
// away.
func newPlan(seed uint64, without []int) *plan {
	r := rand.New(rand.NewPCG(seed, 0))
	chance := func(percent int) bool { return r.IntN(100) < percent }
	p := &plan{
		seed: seed, dialect: protocol.Dialects[[]int{0, 0, 0, 1, 1, 2, 3}[r.IntN(7)]], live: chance(80),
		ttlLimit: 1 + r.IntN(6), timeout: int64(2+r.IntN(8)) * second, idle: 3600 * second, maxClients: 1000,
		descriptors: 1200, room: []int{4096, 16384, 212992}[r.IntN(3)], flightLimit: 1 << 20, passRights: chance(50),
		ending: r.IntN(endings),
		limits: cache.Limits{Sessions: 1000, EndpointSessions: 1000, Bindings: 1000, DestinationBindings: 1000,
			DestinationMemory: 1 << 20, Memory: 64 << 20},
	}
	if chance(25) {
		p.spaces = []protocol.NameSpace{{Transport: "relay", Space: "smtp"}}
	}
	if chance(40) {
		p.faults = 1 + r.IntN(12)
	}
	if chance(30) {
		p.jumps = 1 + r.IntN(4)
	}
	if chance(30) {
		p.limits.Sessions, p.limits.EndpointSessions = 2+r.IntN(6), 1+r.IntN(4)
		p.limits.Bindings, p.limits.DestinationBindings = 2+r.IntN(6), 1+r.IntN(4)
	}
	switch r.IntN(10) {
	case 0:
		p.descriptors, p.short = 22+r.IntN(30), true
	case 1:
		p.limits.Memory, p.short = 6000+r.IntN(30000), true
	case 2:
		p.maxClients, p.short = 2+r.IntN(6), true
	case 3:
		p.flightLimit, p.short = 1+r.IntN(4), true
	}
	if chance(15) {
		p.idle = ms + r.Int64N(second)
	}
	if chance(25) {
		p.statistics = second + r.Int64N(2*second)
	}
	p.verbose, p.quit = chance(5), chance(40)
	p.cast(r, chance)
	p.promised = chance(25)
	p.end = int64(2+r.IntN(8)) * second
	if p.promised {
		p.end = 200*ms + r.Int64N(2*second)
	}
	p.clients = slices.DeleteFunc(p.clients, func(c part) bool { return slices.Contains(without, c.number) })
	for _, c := range p.clients {
		p.wild = p.wild || c.role.wild
		p.endless = p.endless || c.role.endless
	}
	// What they save counts, too, and the model cannot know what that is.
	p.short = p.short || p.wild && p.limits.Sessions < 1000
	return p
}

// cast decides who is there.
func (p *plan) cast(r *rand.Rand, chance func(int) bool) {
	add := func(role *role) {
		p.clients = append(p.clients, part{number: len(p.clients), role: role, start: r.Int64N(2 * second)})
	}
	for range 1 + r.IntN(5) {
		add(&good)
	}
	if chance(15) && p.room < 100_000 && p.dialect.Before {
		add(&late)
	}
	if chance(50) {
		add(&administrator)
	}
	if chance(70) {
		for range 1 + r.IntN(4) {
			add(badRoles[r.IntN(len(badRoles))])
		}
	}
}

func (p *plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: dialect %s, live check %v, ttl limit %d s, ipc_timeout %v, %d descriptors, sockets hold %d bytes, %d in flight, faults %d/256, %d jumps, limits %+v, %d clients at most\n",
		p.seed, p.dialect.Version, p.live, p.ttlLimit, time.Duration(p.timeout), p.descriptors, p.room, p.flightLimit, p.faults, p.jumps, p.limits, p.maxClients)
	for _, c := range p.clients {
		fmt.Fprintf(&b, "  %v from %v on\n", c, time.Duration(c.start))
	}
	return b.String()
}

// What system calls can fail with, whatever the server does.
var (
	acceptFaults  = []unix.Errno{unix.EINTR, unix.ECONNABORTED, unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM}
	receiveFaults = []unix.Errno{unix.ENOMEM}
	writeFaults   = []unix.Errno{unix.EINTR, unix.EINTR, unix.ENOBUFS}
	sendFaults    = []unix.Errno{unix.ETOOMANYREFS, unix.ENOBUFS}
	watchFaults   = []unix.Errno{unix.ENOSPC}
	waitFaults    = []unix.Errno{unix.EINTR}
)

// faulty is an error that a call is to fail with, or 0.
func (w *world) faulty(with []unix.Errno) unix.Errno {
	if w.plan.faults == 0 || w.rand.IntN(256) >= w.plan.faults {
		return 0
	}
	return with[w.rand.IntN(len(with))]
}
