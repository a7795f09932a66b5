package diff

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// A processor is one that daemons share with the goroutine that plays transcripts
// to them, whose thread is idle (SCHED_IDLE) there: it has to make way as soon as a
// daemon wakes up, and gets next to nothing of the processor as long as one computes.
// So whenever it runs, all of them wait for something. What is sent to a daemon has
// been dealt with when the call that sent it returns, and there is nothing to be
// found out about that. The kernel does not promise it, so nothing that differs is
// believed before it was looked at in another way.
//
// A real-time priority for daemons would be surer, but a thread that ends with one
// can keep its processor for ever, while somebody reads what /proc says of it.
type processor struct {
	own unix.SchedAttr // of the goroutine's thread
	all unix.CPUSet    // what it could use
	one unix.CPUSet    // what it does
}

// takeProcessor ties the goroutine to a processor, the number modulo how many there
// are, until the goroutine ends. An error means that it is not possible here: it
// takes root's privileges, and two processors.
func takeProcessor(number int) (*processor, error) {
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
	p := new(processor)
	if err := unix.SchedGetaffinity(0, &p.all); err != nil {
		return nil, fmt.Errorf("sched_getaffinity: %w", err)
	}
	if p.all.Count() < 2 {
		return nil, errors.New("there is only one processor")
	}
	p.one.Set(nth(&p.all, number%p.all.Count()))
	attr, err := unix.SchedGetAttr(0, 0)
	if err != nil {
		return nil, fmt.Errorf("sched_getattr: %w", err)
	}
	p.own = *attr
	if err := errors.Join(p.idle(), p.wake()); err != nil {
		return nil, err
	}
	return p, errors.Join(setAffinity(0, &p.one), p.idle())
}

// nth returns a member of a set of processors, from 0 on.
func nth(set *unix.CPUSet, n int) (cpu int) {
	for ; ; cpu++ {
		if set.IsSet(cpu) {
			if n--; n < 0 {
				return cpu
			}
		}
	}
}

func setAffinity(thread int, set *unix.CPUSet) error {
	if err := unix.SchedSetaffinity(thread, set); err != nil {
		return fmt.Errorf("sched_setaffinity: %w", err)
	}
	return nil
}

// spawn lets start start a daemon, which inherits how its thread is scheduled. It may
// use all processors until it is kept: a program in Go looks once how many there are,
// and if there is one, what is not the event loop has to wait until that is idle.
func (p *processor) spawn(start func() error) error {
	if err := errors.Join(p.wake(), setAffinity(0, &p.all)); err != nil {
		return err
	}
	return errors.Join(start(), setAffinity(0, &p.one), p.idle())
}

// keep brings all threads of a process to the processor. Those that they start later
// stay there, too.
func (p *processor) keep(pid int) error {
	for kept := ""; ; {
		names, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		if err != nil {
			return err
		}
		threads := fmt.Sprint(names)
		if threads == kept {
			return nil
		}
		for _, name := range names {
			thread, err := strconv.Atoi(name.Name())
			if err != nil {
				return err
			}
			if err := setAffinity(thread, &p.one); err != nil && !errors.Is(err, unix.ESRCH) {
				return err
			}
		}
		kept = threads
	}
}

// idle makes the goroutine's thread one that runs when no other wants to, and wake
// undoes that.
func (p *processor) idle() error { return schedule(&unix.SchedAttr{Policy: unix.SCHED_IDLE}) }
func (p *processor) wake() error { return schedule(&p.own) }

func schedule(attr *unix.SchedAttr) error {
	if err := unix.SchedSetAttr(0, attr, 0); err != nil {
		return fmt.Errorf("sched_setattr: %w", err)
	}
	return nil
}
