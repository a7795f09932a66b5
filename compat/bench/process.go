package bench

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A consumption is what the kernel says that a process has used since its start.
type consumption struct {
	cpu      time.Duration // of all threads, past and present
	switches int           // context switches of the threads that there are
	threads  int
}

// consumed asks the kernel.
func consumed(pid int) (c consumption, err error) {
	if c.cpu, err = processorTime(pid); err != nil {
		return c, err
	}
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return c, fmt.Errorf("list threads: %w", err)
	}
	for _, task := range tasks {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/status", pid, task.Name()))
		if os.IsNotExist(err) {
			continue // the thread has ended
		}
		if err != nil {
			return c, fmt.Errorf("read context switches: %w", err)
		}
		switches, err := parseSwitches(string(status))
		if err != nil {
			return c, err
		}
		c.threads++
		c.switches += switches
	}
	return c, nil
}

// parseSwitches adds up both kinds of context switches in a status file: those
// of a thread that waits, and those of one that is made to.
func parseSwitches(status string) (sum int, err error) {
	kinds := 0
	for line := range strings.Lines(status) {
		name, value, _ := strings.Cut(line, ":")
		if name != "voluntary_ctxt_switches" && name != "nonvoluntary_ctxt_switches" {
			continue
		}
		n, err := strconv.Atoi(strings.TrimSpace(value))
		if err != nil {
			return 0, fmt.Errorf("read context switches: %w", err)
		}
		sum += n
		kinds++
	}
	if kinds != 2 {
		return 0, fmt.Errorf("read context switches: %d of the two lines", kinds)
	}
	return sum, nil
}

// processorTime is how long all threads of a process, past and present, have
// run on a processor, to the nanosecond.
func processorTime(pid int) (time.Duration, error) {
	// The clock that clock_getcpuclockid(3) returns.
	const scheduler = 2
	clock := int32(^uint32(pid)<<3 | scheduler)
	var t unix.Timespec
	if err := unix.ClockGettime(clock, &t); err != nil {
		return 0, fmt.Errorf("processor time of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}
