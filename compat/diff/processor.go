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
// to them. They have a real-time priority there, and the goroutine has a lower one:
// so whenever it runs, all of them wait for something. What is sent to a daemon has
// been dealt with when the call that sent it returns, and there is nothing to be
// found out about that.
type processor struct {
	own unix.SchedAttr // of the goroutine's thread
	all unix.CPUSet    // what it could use
	one unix.CPUSet    // what it does
}

// Real-time priorities: daemons have the higher one, and the goroutine has the
// lower one while it is in a hurry.
const (
	daemonPriority = 2
	hurryPriority  = 1
)

// takeProcessor ties the goroutine to a processor, the number modulo how many there
// are, until the goroutine ends. An error means that it is not possible here: it
// takes root's privileges, real-time priorities, and two processors.
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
	if err := p.with(daemonPriority, func() error { return nil }); err != nil {
		return nil, err
	}
	return p, setAffinity(0, &p.one)
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

// spawn lets start start a daemon, which inherits the priority. It may use all
// processors until it is kept: a program in Go looks once how many there are, and
// if there is one, what is not the event loop has to wait until that is idle.
func (p *processor) spawn(start func() error) error {
	if err := setAffinity(0, &p.all); err != nil {
		return err
	}
	return errors.Join(p.with(daemonPriority, start), setAffinity(0, &p.one))
}

// mostTime is for how many microseconds a daemon may compute without a pause. After
// that the kernel ends it, since nobody else has the processor meanwhile.
const mostTime = 1_000_000

// keep brings all threads of a process to the processor. Those that they start later
// stay there, too.
func (p *processor) keep(pid int) error {
	limit := unix.Rlimit{Cur: mostTime, Max: mostTime}
	if err := unix.Prlimit(pid, unix.RLIMIT_RTTIME, &limit, nil); err != nil {
		return fmt.Errorf("prlimit: %w", err)
	}
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

// hurry keeps everybody but the daemons from the processor while do runs, which is
// for some milliseconds.
func (p *processor) hurry(do func() error) error {
	if p == nil {
		return do()
	}
	return p.with(hurryPriority, do)
}

func (p *processor) with(priority uint32, do func() error) error {
	if err := unix.SchedSetAttr(0, &unix.SchedAttr{Policy: unix.SCHED_FIFO, Priority: priority}, 0); err != nil {
		return fmt.Errorf("sched_setattr: %w", err)
	}
	defer unix.SchedSetAttr(0, &p.own, 0)
	return do()
}
