package torture

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"scache/compat/master"
	"scache/compat/wire"
)

// memoryAttacks make the daemon keep as much as they can.
func memoryAttacks() []Attack {
	return []Attack{
		{Name: "strings without end", Hurts: true, Strike: endlessStrings, Greedy: true},
		{Name: "requests of a quarter of a megabyte that never end", Hurts: true, Strike: longRequests, Greedy: true, Growth: 300 << 20},
		{Name: "sessions that are saved without the descriptor", Strike: longUnsaved, Greedy: true},
		{Name: "a million labels", Strike: manyLabels, Greedy: true, Growth: 100 << 20, GivesUp: true, Hurts: true,
			Options: master.Options{MainCF: "scached_binding_limit = 5000"}, After: saysSo("gave up ")},
		{Name: "one destination with thousands of dead sessions", Strike: deadSessions, Greedy: true,
			Options: master.Options{MainCF: "connection_cache_ttl_limit = 20s\nscached_destination_binding_limit = 10000"}, Settle: 22 * time.Second},
		{Name: "one destination with bindings of 64 KB", Strike: longBindings, Lasts: true,
			Options: master.Options{MainCF: "connection_cache_ttl_limit = 20s"}, Settle: 22 * time.Second},
		{Name: "everything that is held, as much as there may be of it", Strike: everythingHeld, Greedy: true, Hurts: true, GivesUp: true, Growth: heldMost, Peak: heldMost,
			Options: master.Options{MainCF: heldOptions}, Settle: 12 * time.Second},
		{Name: "one destination with thousands of bindings", Strike: manyBindings, Lasts: true,
			Options: master.Options{MainCF: "connection_cache_ttl_limit = 60s"}},
		{Name: "a binding in use, and more others than are allowed", Strike: bindingInUse, GivesUp: true,
			Options: master.Options{MainCF: "connection_cache_ttl_limit = 10s\nscached_binding_limit = 50\n"}, Settle: 12 * time.Second},
	}
}

// endlessStrings are one where a name is due, one in a value, one in the end of
// a list.
func endlessStrings(a *Arena) error {
	chunk := strings.Repeat("x", 1<<16)
	var errs []error
	for _, beginning := range []string{"", "request\x00", "request\x00find_endp\x00label\x00", "request\x00find_endp\x00label\x00x\x00"} {
		c, err := a.greeted()
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		if err := c.Send(beginning); err != nil {
			return err
		}
		chunks := a.size(500, 4000)
		for n := range chunks {
			if err := c.Send(chunk); errors.Is(err, unix.EPIPE) || errors.Is(err, unix.ECONNRESET) {
				break // which is what ought to happen
			} else if err != nil {
				return err
			}
			if n == chunks-1 {
				errs = append(errs, fmt.Errorf("after %q the daemon took %d MiB", beginning, n*len(chunk)>>20))
			}
		}
	}
	return errors.Join(errs...)
}

// longRequests are as long as they may be, and never complete.
func longRequests(a *Arena) error {
	long := strings.Repeat("x", 1<<16-1)
	request := "request\x00save_dest\x00ttl\x002\x00label\x00" + long + "\x00property\x00" + long + "\x00label\x00" + long
	for i := range a.size(500, 5000) {
		c, err := a.greeted()
		if err != nil {
			return fmt.Errorf("client %d: %w", i, err)
		}
		// The daemon may have enough at any time.
		err = c.Send(request)
		if err != nil && !errors.Is(err, unix.EPIPE) && !errors.Is(err, unix.ECONNRESET) {
			return fmt.Errorf("client %d: %w", i, err)
		}
	}
	peak, err := peakMemory(a.Daemon.PID())
	if err != nil {
		return err
	}
	a.remark("at most %d MiB", peak>>20)
	return nil
}

// longUnsaved is about memory that is needed no more when the descriptor does
// not come.
func longUnsaved(a *Arena) error {
	long := strings.Repeat("x", 1<<16-1)
	request := wire.List("request", "save_endp", "ttl", "2", "label", long, "property", long)
	for i := range a.size(500, 5000) {
		c, err := a.greeted()
		if err == nil {
			err = c.Ask(request, wire.Dummy)
		}
		if err == nil {
			err = c.Ask("\x00", wire.Failed)
		}
		if err != nil {
			return fmt.Errorf("client %d: %w", i, err)
		}
	}
	return nil
}

// manyLabels saves bindings that differ, as fast as eight clients can. Each of
// them pipelines as much as the daemon answers.
func manyLabels(a *Arena) error {
	const clients = 8
	n := a.size(40_000, 1_000_000) / clients
	var saving sync.WaitGroup
	errs := make([]error, clients)
	for i := range clients {
		c, err := a.greeted()
		if err != nil {
			return err
		}
		saving.Go(func() {
			for j := range n {
				label := fmt.Sprintf("label %d of client %d", j, i)
				if errs[i] = c.Ask(wire.SaveDestination(label, "1", label), wire.Done); errs[i] != nil {
					return
				}
			}
		})
	}
	saving.Wait()
	return errors.Join(errs...)
}

// deadSessions has many bindings, and many dead sessions under the last of them:
// to look for a live one must not be the product of both.
func deadSessions(a *Arena) error {
	c, err := a.greeted()
	if err != nil {
		return err
	}
	n := a.size(2000, 8000)
	for i := range n {
		if err := c.Ask(wire.SaveDestination("busy", "20", fmt.Sprint("endpoint ", i)), wire.Done); err != nil {
			return err
		}
	}
	last := fmt.Sprint("endpoint ", n-1)
	for range n {
		if err := saveAndForget(c, last, "20"); err != nil {
			return err
		}
	}
	return c.Send(wire.FindDestination("busy"))
}

// manyBindings has as many bindings of one destination as fit, none of which leads
// to a session, and clients that ask for it.
func manyBindings(a *Arena) error {
	c, err := a.greeted()
	if err != nil {
		return err
	}
	for i := range a.size(5000, 20_000) {
		if err := c.Ask(wire.SaveDestination("busy", "60", fmt.Sprint("endpoint ", i)), wire.Done); err != nil {
			return err
		}
	}
	clients, err := a.crowd(hundred, a.greeted)
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

// peakMemory is the most memory that a process has ever had, in bytes (VmHWM).
func peakMemory(pid int) (int64, error) { return statusField(pid, "VmHWM") }

// bindingInUse saves one binding again and again, as smtp(8) does with each message,
// among many that are saved once. It has to be among those that are kept.
func bindingInUse(a *Arena) error {
	c, err := a.greeted()
	if err != nil {
		return err
	}
	s, err := wire.Pair()
	if err != nil {
		return err
	}
	defer s.Close()
	if err := c.Save("in use", "10", s.Local); err != nil {
		return err
	}
	for i := range 500 {
		if i%10 == 0 {
			if err := c.Ask(wire.SaveDestination("in use", "10", "in use"), wire.Done); err != nil {
				return err
			}
		}
		if err := c.Ask(wire.SaveDestination(fmt.Sprint("other ", i), "10", "nothing"), wire.Done); err != nil {
			return err
		}
	}
	hit, err := c.LookUp(wire.FindDestination("in use"), wire.FoundBy, wire.MissedBy)
	if err != nil {
		return err
	}
	if !hit {
		return errors.New("the binding that is in use has been given up, and older ones have not")
	}
	session, err := c.Take()
	if err == nil {
		unix.Close(session)
	}
	return err
}
