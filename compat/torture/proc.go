package torture

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// statusField is a number in a process's status file; sizes are in bytes.
func statusField(pid int, name string) (int64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("read status of process: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		rest, ok := strings.CutPrefix(line, name+":")
		if !ok {
			continue
		}
		text, kilo := strings.CutSuffix(strings.TrimSpace(rest), " kB")
		n, err := strconv.ParseInt(text, 10, 64)
		if kilo {
			n <<= 10
		}
		return n, err
	}
	return 0, fmt.Errorf("process %d has no %s", pid, name)
}

// stopped tells whether all threads of a process are stopped by a signal.
func stopped(pid int) bool {
	states, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, path := range states {
		if data, err := os.ReadFile(path); err == nil && !strings.Contains(string(data), ") T ") {
			return false
		}
	}
	return err == nil && len(states) > 0
}

// processorTime is how much of the processor a process has used, in seconds.
func processorTime(pid int) (float64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("read processor time: %w", err)
	}
	_, rest, ok := strings.Cut(string(data), ") ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 13 {
		return 0, fmt.Errorf("read processor time: %q", data)
	}
	const ticks = 100 // a second: USER_HZ of Linux
	var sum float64
	for _, field := range fields[11:13] { // in user space, in the kernel
		n, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return 0, fmt.Errorf("read processor time: %w", err)
		}
		sum += n / ticks
	}
	return sum, nil
}
