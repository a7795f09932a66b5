package master

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Descriptors returns what the descriptors of process pid refer to, by number:
// "socket:[4711]", "pipe:[4712]", "/dev/null".
func Descriptors(pid int) (map[int]string, error) {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list descriptors: %w", err)
	}
	links := make(map[int]string, len(entries))
	for _, entry := range entries {
		fd, err := strconv.Atoi(entry.Name())
		if err != nil {
			return nil, fmt.Errorf("list descriptors: %w", err)
		}
		link, err := os.Readlink(dir + "/" + entry.Name())
		if err != nil {
			continue // closed since the directory was read
		}
		links[fd] = link
	}
	return links, nil
}

// A Credentials value is what the kernel says about a process's privileges:
// the lines of /proc/PID/status, values only.
type Credentials struct {
	UID        [4]int // real, effective, saved, file system
	GID        [4]int
	Groups     []int
	CapInh     uint64
	CapPrm     uint64
	CapEff     uint64
	CapBnd     uint64
	CapAmb     uint64
	NoNewPrivs bool
	Threads    int
}

// ProcessCredentials reads the credentials of process pid. The kernel keeps
// them for each thread; threads that differ from each other are an error.
func ProcessCredentials(pid int) (Credentials, error) {
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return Credentials{}, fmt.Errorf("list threads: %w", err)
	}
	var first Credentials
	var firstLines string
	for i, task := range tasks {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/status", pid, task.Name()))
		if err != nil {
			if i > 0 && os.IsNotExist(err) {
				continue // the thread has ended
			}
			return Credentials{}, fmt.Errorf("read credentials: %w", err)
		}
		creds, lines, err := parseCredentials(string(data))
		if err != nil {
			return Credentials{}, fmt.Errorf("read credentials of thread %s: %w", task.Name(), err)
		}
		if i == 0 {
			first, firstLines = creds, lines
		} else if lines != firstLines {
			return Credentials{}, fmt.Errorf("threads of process %d differ in their credentials:\n%s\nand:\n%s", pid, firstLines, lines)
		}
	}
	first.Threads = len(tasks)
	return first, nil
}

// parseCredentials returns the credentials in a status file, and the lines
// that they stand in.
func parseCredentials(status string) (creds Credentials, lines string, err error) {
	var kept strings.Builder
	for line := range strings.Lines(status) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		value = strings.TrimSpace(value)
		switch name {
		case "Uid":
			_, err = fmt.Sscan(value, &creds.UID[0], &creds.UID[1], &creds.UID[2], &creds.UID[3])
		case "Gid":
			_, err = fmt.Sscan(value, &creds.GID[0], &creds.GID[1], &creds.GID[2], &creds.GID[3])
		case "Groups":
			creds.Groups, err = parseGroups(value)
		case "CapInh":
			creds.CapInh, err = strconv.ParseUint(value, 16, 64)
		case "CapPrm":
			creds.CapPrm, err = strconv.ParseUint(value, 16, 64)
		case "CapEff":
			creds.CapEff, err = strconv.ParseUint(value, 16, 64)
		case "CapBnd":
			creds.CapBnd, err = strconv.ParseUint(value, 16, 64)
		case "CapAmb":
			creds.CapAmb, err = strconv.ParseUint(value, 16, 64)
		case "NoNewPrivs":
			creds.NoNewPrivs = value == "1"
		default:
			continue
		}
		if err != nil {
			return Credentials{}, "", fmt.Errorf("%q: %w", line, err)
		}
		kept.WriteString(line)
	}
	return creds, kept.String(), nil
}

func parseGroups(value string) ([]int, error) {
	var groups []int
	for _, word := range strings.Fields(value) {
		group, err := strconv.Atoi(word)
		if err != nil {
			return nil, err
		}
		groups = append(groups, group)
	}
	return groups, nil
}

// ResidentBytes returns how much memory process pid holds (VmRSS).
func ResidentBytes(pid int) (int64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("read memory use: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return kb * 1024, err
		}
	}
	return 0, fmt.Errorf("read memory use: process %d has no VmRSS line", pid)
}

// ProcessRoot returns the root directory of process pid, "/" when it is not
// in a jail.
func ProcessRoot(pid int) (string, error) {
	return os.Readlink(fmt.Sprintf("/proc/%d/root", pid))
}

// WaitUntil looks at cond every few milliseconds until it is true, for no
// longer than timeout, and returns whether it was.
func WaitUntil(timeout time.Duration, cond func() bool) bool {
	deadline := time.Now().Add(timeout)
	for !cond() {
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(5 * time.Millisecond)
	}
	return true
}
