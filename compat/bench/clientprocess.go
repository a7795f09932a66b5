package bench

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// clientVariable is in the environment of a process that is to be a client.
const clientVariable = "SCACHE_BENCH_CLIENT"

// sessionFD is where a client process finds what it saves: a session.
const sessionFD = 3

// fastest is more requests a second than any daemon answers to one client: room
// for that many figures is set aside before the clock runs.
const fastest = 400_000

// The messages between [Run] and a client process, over its standard input and
// output. The client answers an introduction once it is connected, and each
// order when it has been carried out.
type (
	introduction struct {
		Socket string
		Name   string // tells clients apart: they do not get at each other's sessions
		TTL    int    // of its sessions, in seconds
	}
	order struct {
		Begin, End time.Duration // on the kernel's monotonic clock
		Pause      time.Duration // between two cycles
	}
	answer struct {
		Err       string
		Latencies []time.Duration // of each request
		Done      time.Duration   // when the last pause ended, on that clock
	}
)

// canBeClient is set by RunClient: our own program knows what to do when it is
// started as a client.
var canBeClient bool

// RunClient makes this process a client, if it was started by [Run] as one, and
// does not return then. A program that calls Run calls it first.
func RunClient() {
	if os.Getenv(clientVariable) == "" {
		canBeClient = true
		return
	}
	err := serveOrders(gob.NewDecoder(os.Stdin), gob.NewEncoder(os.Stdout))
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench client:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serveOrders is the life of a client process, until its input ends.
func serveOrders(in *gob.Decoder, out *gob.Encoder) error {
	var intro introduction
	if err := in.Decode(&intro); err != nil {
		return err
	}
	c, err := dial(intro.Socket, sessionFD)
	if err != nil {
		return out.Encode(answer{Err: err.Error()})
	}
	defer c.close()
	if err := out.Encode(answer{}); err != nil {
		return err
	}
	steps := cycle(intro.Name, intro.TTL)
	for {
		var o order
		switch err := in.Decode(&o); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := out.Encode(c.carryOut(o, steps)); err != nil {
			return err
		}
	}
}

func (c *client) carryOut(o order, steps []step) (a answer) {
	perSecond := fastest
	if o.Pause > 0 {
		perSecond = min(fastest, requests*int(time.Second/o.Pause+1))
	}
	c.latencies = make([]time.Duration, 0, int((o.End-o.Begin).Seconds()*float64(perSecond))+requests)
	now, kernel := time.Now(), monotonic()
	if err := c.repeat(steps, now.Add(o.Begin-kernel), now.Add(o.End-kernel), o.Pause); err != nil {
		a.Err = err.Error()
	}
	a.Latencies, a.Done = c.latencies, monotonic()
	if len(c.latencies) == cap(c.latencies) && a.Err == "" {
		a.Err = "the daemon is faster than there is room for figures"
	}
	return a
}

// monotonic is the time on a clock that all processes share.
func monotonic() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic(err) // there is no kernel without it
	}
	return time.Duration(t.Nano())
}

// dial connects to a daemon's socket, which listens already, and waits for the
// greeting. It borrows the descriptor of a session.
func dial(socket string, session int) (*client, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	if err := retry(func() error { return unix.Connect(fd, &unix.SockaddrUnix{Name: socket}) }); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("connect to %s: %w", socket, err)
	}
	return newClient(fd, session)
}

// A clientProcess is a client that is a process of its own, as smtp(8) is: one
// thread does its work, and what it does there costs the daemon nothing.
type clientProcess struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stderr strings.Builder
	in     *gob.Decoder
	out    *gob.Encoder
}

// startClient starts a client process. It borrows the descriptor of a session: the process has
// its own copy. The process is killed when ctx ends.
func startClient(ctx context.Context, intro introduction, session int) (*clientProcess, error) {
	copied, err := unix.FcntlInt(uintptr(session), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("dup: %w", err)
	}
	file := os.NewFile(uintptr(copied), "session")
	defer file.Close()
	p := &clientProcess{cmd: exec.CommandContext(ctx, "/proc/self/exe")}
	// One processor, no signals to a thread that seems to compute, no collector.
	p.cmd.Env = append(os.Environ(), clientVariable+"=1", "GOMAXPROCS=1", "GODEBUG=asyncpreemptoff=1", "GOGC=off")
	p.cmd.ExtraFiles = []*os.File{file}
	p.cmd.Stderr = &p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	p.in, p.out = gob.NewDecoder(stdout), gob.NewEncoder(p.stdin)
	if err := p.out.Encode(intro); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	if _, err := p.answer(); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

// answer waits for the client to have done what it was told last. It waits no
// longer than the client for the daemon.
func (p *clientProcess) answer() (a answer, err error) {
	if err := p.in.Decode(&a); err != nil {
		return a, fmt.Errorf("no answer from client process %d: %w", p.cmd.Process.Pid, err)
	}
	if a.Err != "" {
		return a, errors.New(a.Err)
	}
	return a, nil
}

// stop ends the process, and returns what it complained of.
func (p *clientProcess) stop() error {
	p.stdin.Close()
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("client process: %w: %s", err, strings.TrimSpace(p.stderr.String()))
	}
	return nil
}

// A tally is what a load came to.
type tally struct {
	latencies []time.Duration // of each request
	took      time.Duration   // from the first request to the last answer
}

func (t *tally) cycles() int { return len(t.latencies) / requests }

// longestCycle is how long the longest cycle of a single client took.
func (t *tally) longestCycle() (longest time.Duration) {
	for i := 0; i+requests <= len(t.latencies); i += requests {
		var sum time.Duration
		for _, latency := range t.latencies[i : i+requests] {
			sum += latency
		}
		longest = max(longest, sum)
	}
	return longest
}

// headStart is the time from the orders to the first request: all clients begin
// at once.
const headStart = 10 * time.Millisecond

// command orders clients to go through their cycles, to begin at some time.
func command(clients []*clientProcess, begin, length, pause time.Duration) error {
	for i, p := range clients {
		if err := p.out.Encode(order{Begin: begin, End: begin + length, Pause: pause}); err != nil {
			return fmt.Errorf("client %d: %w", i, err)
		}
	}
	return nil
}

// collect waits for clients that began at that time.
func collect(clients []*clientProcess, begin time.Duration) (t tally, err error) {
	var failures []error
	for i, p := range clients {
		a, err := p.answer()
		if err != nil {
			failures = append(failures, fmt.Errorf("client %d: %w", i, err))
			continue
		}
		t.latencies = append(t.latencies, a.Latencies...)
		t.took = max(t.took, a.Done-begin)
	}
	return t, errors.Join(failures...)
}
