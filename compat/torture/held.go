package torture

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"scache/compat/wire"
)

// longest is a string that is as long as the daemon takes it.
var longest = strings.Repeat("x", 1<<16-10)

// longBindings has a thousand bindings of one destination whose strings are as
// long as they may be, and clients that ask for it: what a request looks through
// is to be limited in bytes, too.
func longBindings(a *Arena) error {
	c, err := a.greeted()
	if err != nil {
		return err
	}
	for i := range 1000 {
		if err := c.Ask(wire.List("request", "save_dest", "ttl", "20", "label", "busy", "property", longest+fmt.Sprint(i), "label", longest), wire.Done); err != nil {
			return err
		}
	}
	clients, err := a.crowd(8, a.greeted)
	if err != nil {
		return err
	}
	for _, c := range clients {
		a.start(func(ctx context.Context) {
			for ctx.Err() == nil {
				if _, err := c.LookUp(wire.FindDestination("busy"), wire.FoundBy, wire.MissedBy); err != nil {
					return
				}
				pause(ctx, garbagePace)
			}
		})
	}
	return nil
}

// heldLimit is the daemon's memory limit, and heldMost what it may take then.
const (
	heldLimit = 32 << 20
	heldMost  = 2*heldLimit + 16<<20
)

var heldOptions = fmt.Sprintf("connection_cache_ttl_limit = 10s\nscached_memory_limit = %d\n", heldLimit)

// everythingHeld fills the memory with sessions, with bindings and with requests
// that do not end, again and again. All of it has one limit.
func everythingHeld(a *Arena) error {
	saver, err := a.greeted()
	if err != nil {
		return err
	}
	for round := range a.size(2, 10) {
		for i := range 2 * heldLimit / (2 * len(longest)) {
			if err := saveLong(saver, fmt.Sprint(round, " ", i)); err != nil {
				return err
			}
		}
		for i := range 2 * heldLimit / (3 * len(longest)) {
			name := fmt.Sprint(round, " ", i)
			if err := saver.Ask(wire.List("request", "save_dest", "ttl", "10", "label", longest+name, "property", longest, "label", longest), wire.Done); err != nil {
				return err
			}
		}
		for range 2 * heldLimit / (3 * len(longest)) {
			c, err := a.greeted()
			if err != nil {
				return err
			}
			err = c.Send("request\x00save_dest\x00ttl\x002\x00label\x00" + longest + "\x00property\x00" + longest + "\x00label\x00" + longest)
			if err != nil && !errors.Is(err, unix.EPIPE) && !errors.Is(err, unix.ECONNRESET) {
				return err // the daemon may have enough at any time
			}
		}
	}
	peak, err := peakMemory(a.Daemon.PID())
	if err != nil {
		return err
	}
	a.remark("at most %d MiB", peak>>20)
	a.peak = peak
	return nil
}

// saveLong saves a session under a long label, with a long property.
func saveLong(c *wire.Client, name string) error {
	s, err := wire.Pair()
	if err != nil {
		return err
	}
	defer s.Close()
	if err := c.Ask(wire.List("request", "save_endp", "ttl", "10", "label", longest+name, "property", longest), wire.Dummy); err != nil {
		return err
	}
	if err := c.Send("\x00", s.Local); err != nil {
		return err
	}
	return c.Expect(wire.Done)
}
