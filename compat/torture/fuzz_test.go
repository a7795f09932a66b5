package torture

import (
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"scache/compat/master"
	"scache/compat/wire"
	"scache/testdata"
)

// A byte of a fuzz input that is not one for the daemon, and what those after it
// mean: the rest is sent as it is.
const (
	escape      = 0xff
	doSend      = iota // what has piled up
	doSendAlone        // the same, and wait until the daemon has read it
	doDescriptor
	doDescriptors
	doShutdown
	doRead
)

// FuzzDaemon sends mutated conversations to a daemon, a new client each, while
// good clients go on beside it.
func FuzzDaemon(f *testing.F) {
	for _, seed := range daemonSeeds(f) {
		f.Add(seed)
	}
	d, err := master.Start(f.Context(), master.Options{Program: ours(f), Unprivileged: true, Chroot: true, Log: master.LogPostlog,
		MainCF: "scached_string_limit = 4096"})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(d.Close)
	if err := knock(d); err != nil {
		f.Fatal(err)
	}
	before, err := settle(d)
	if err != nil {
		f.Fatal(err)
	}
	good := newGoodClient(d.Socket(), "good")
	f.Cleanup(good.close)
	inputs := 0
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := converse(d, data); err != nil {
			t.Fatal(err)
		}
		if err := good.cycle(); err != nil {
			t.Fatalf("a good client beside: %v; the log ends:\n%s", err, d.Log.Tail(0, 10))
		}
		good.took = good.took[:0]
		const often = 2000
		if inputs++; inputs%often != 0 {
			return
		}
		good.close()
		if after, err := settleTo(d, before.descriptors, defaultSettle); err != nil || after.descriptors > before.descriptors {
			t.Fatalf("%d descriptors are open, %d were; %v", after.descriptors, before.descriptors, err)
		}
	})
}

// converse is one client. It does not care what it is told.
func converse(d *master.Daemon, data []byte) error {
	c, err := wire.Dial(d.Socket(), patience)
	if err != nil {
		return err
	}
	defer c.Close()
	s, err := wire.Pair()
	if err != nil {
		return err
	}
	defer s.Close()
	var pending []byte
	flush := func(descriptors int) {
		if len(pending) > 0 {
			c.TrySend(string(pending), slices.Repeat([]int{s.Local}, descriptors)...)
		}
		pending = pending[:0]
	}
	for i := 0; i < len(data); i++ {
		if data[i] != escape || i+1 == len(data) {
			pending = append(pending, data[i])
			continue
		}
		i++
		switch data[i] {
		case doSend:
			flush(0)
		case doSendAlone:
			flush(0)
			awaitRead(c)
		case doDescriptor:
			flush(1)
			awaitRead(c)
		case doDescriptors:
			flush(3)
			awaitRead(c)
		case doShutdown:
			c.Finish()
		case doRead:
			drain(c)
		default:
			pending = append(pending, data[i])
		}
	}
	flush(0)
	return nil
}

// awaitRead waits until the daemon has read what was sent, unless it does not
// want it.
func awaitRead(c *wire.Client) {
	for deadline := time.Now().Add(20 * time.Millisecond); c.Unread() > 0 && time.Now().Before(deadline); {
		time.Sleep(50 * time.Microsecond)
	}
}

// drain reads what is there.
func drain(c *wire.Client) {
	_, fds, _, _ := c.Arrived()
	for _, fd := range fds {
		unix.Close(fd)
	}
}

// daemonSeeds are the conversations with the reference.
func daemonSeeds(f *testing.F) (seeds [][]byte) {
	conversations, err := testdata.Conversations()
	if err != nil {
		f.Fatal(err)
	}
	for _, conversation := range conversations {
		var seed []byte
		for _, step := range conversation.Steps {
			seed = append(seed, step.Data...)
			switch {
			case step.Do == "send":
				seed = append(seed, escape, doSendAlone)
			case step.Do == "send_fds" && step.FDs > 1:
				seed = append(seed, escape, doDescriptors)
			case step.Do == "send_fds":
				seed = append(seed, escape, doDescriptor)
			case step.Do == "shutdown_write":
				seed = append(seed, escape, doShutdown)
			}
			seed = append(seed, escape, doRead)
		}
		seeds = append(seeds, seed)
	}
	return seeds
}
