package bench

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// countCalls counts the system calls that a process makes while work is done:
// with perf(1), which leaves the process its pace, or else with strace(1).
func countCalls(pid int, work func() error) (int, error) {
	calls, err := countWithPerf(pid, work)
	if err == nil {
		return calls, nil
	}
	calls, straceErr := countWithStrace(pid, work)
	if straceErr == nil {
		return calls, nil
	}
	return 0, errors.Join(err, straceErr)
}

func countWithPerf(pid int, work func() error) (calls int, err error) {
	control, tell, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer tell.Close()
	hear, answer, err := os.Pipe()
	if err != nil {
		return 0, errors.Join(err, control.Close())
	}
	defer hear.Close()
	var out bytes.Buffer
	cmd := exec.Command("perf", "stat", "-x", ",", "-e", "raw_syscalls:sys_enter",
		"--delay", "-1", "--control", "fd:3,4", "--pid", strconv.Itoa(pid))
	cmd.ExtraFiles = []*os.File{control, answer}
	cmd.Stderr = &out
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	err = cmd.Start()
	control.Close()
	answer.Close()
	if err != nil {
		return 0, fmt.Errorf("perf: %w", err)
	}
	acknowledged := bufio.NewReader(hear)
	say := func(word string) error {
		if _, err := io.WriteString(tell, word+"\n"); err != nil {
			return err
		}
		_, err := acknowledged.ReadString('\n')
		return err
	}
	if err = say("enable"); err == nil {
		err = errors.Join(work(), say("disable"))
	}
	cmd.Process.Signal(unix.SIGINT)
	cmd.Wait() // its status is that of a program that was interrupted
	if err != nil {
		return 0, fmt.Errorf("perf: %w: %s", err, bytes.TrimSpace(out.Bytes()))
	}
	return parsePerf(out.String())
}

// parsePerf reads lines of comma separated values, the first of which is the
// count.
func parsePerf(text string) (int, error) {
	for line := range strings.Lines(text) {
		if value, rest, _ := strings.Cut(line, ","); strings.Contains(rest, "sys_enter") {
			calls, err := strconv.Atoi(value)
			if err != nil {
				return 0, fmt.Errorf("perf: not counted: %s", strings.TrimSpace(line))
			}
			return calls, nil
		}
	}
	return 0, fmt.Errorf("perf: no count in %q", text)
}

func countWithStrace(pid int, work func() error) (int, error) {
	// In this form it says that it is attached before it goes on.
	cmd := exec.Command("strace", "-f", "-c", "-p", strconv.Itoa(pid))
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("strace: %w", err)
	}
	out := bufio.NewReader(stderr)
	first, err := out.ReadString('\n')
	if err == nil && !strings.Contains(first, " attached") {
		err = errors.New(strings.TrimSpace(first))
	}
	if err == nil {
		err = work()
	}
	cmd.Process.Signal(unix.SIGINT)
	table, readErr := io.ReadAll(out)
	cmd.Wait() // its status is that of a program that was interrupted
	if err = errors.Join(err, readErr); err != nil {
		return 0, fmt.Errorf("strace: %w", err)
	}
	return parseStrace(string(table))
}

// parseStrace reads the line of the totals: share, seconds, microseconds a
// call, calls, perhaps errors, "total".
func parseStrace(table string) (int, error) {
	for line := range strings.Lines(table) {
		if fields := strings.Fields(line); len(fields) >= 5 && fields[len(fields)-1] == "total" {
			return strconv.Atoi(fields[3])
		}
	}
	return 0, fmt.Errorf("strace: no total in %q", table)
}
