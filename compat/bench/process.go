package bench

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

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
